// Drives a running Rolecall with Tencent's Node SDK: create, refuse, list, delete. Prints a line for each step.
import tencentcloud from "tencentcloud-sdk-nodejs-common";

const [netloc, secretId, secretKey, region, DBInstanceId, UserName] = process.argv.slice(2);
const account = { DBInstanceId, UserName, Password: "Test_password1", Type: "normal" };

for (const signMethod of ["TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"]) {
  const client = new tencentcloud.CommonClient(netloc, "2017-03-12", {
    credential: { secretId, secretKey },
    region,
    profile: { signMethod, httpProfile: { protocol: "http://", endpoint: netloc } },
  });
  const created = await client.request("CreateAccount", account);
  console.log(signMethod, "created", created.RequestId.length === 36);
  const again = await client.request("CreateAccount", account).catch((error) => error);
  console.log(signMethod, "again", again.code);
  const listed = await client.request("DescribeAccounts", { DBInstanceId });
  console.log(signMethod, "listed", listed.Details.some((row) => row.UserName === UserName));
  await client.request("DeleteAccount", { DBInstanceId, UserName });
  console.log(signMethod, "deleted");
}
