import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.annotations.Expose;
import com.google.gson.annotations.SerializedName;
import com.tencentcloudapi.common.AbstractModel;
import com.tencentcloudapi.common.CommonClient;
import com.tencentcloudapi.common.Credential;
import com.tencentcloudapi.common.exception.TencentCloudSDKException;
import com.tencentcloudapi.common.profile.ClientProfile;
import com.tencentcloudapi.common.profile.HttpProfile;
import java.util.HashMap;
import java.util.Map;

/** Drives a running Rolecall with Tencent's Java SDK: create, refuse, list, delete. Prints a line for each step. */
public class Tencent {
    private final CommonClient client;

    private Tencent(CommonClient client) {
        this.client = client;
    }

    public static void main(String[] arguments) throws TencentCloudSDKException {
        String instance = arguments[4], user = arguments[5];
        for (String method : new String[] {"TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"}) {
            HttpProfile http = new HttpProfile();
            http.setProtocol("http://");
            http.setEndpoint(arguments[0]);
            Tencent postgres = new Tencent(new CommonClient(
                "postgres", "2017-03-12", new Credential(arguments[1], arguments[2]), arguments[3],
                new ClientProfile(method, http)));

            Map<String, String> account = Map.of(
                "DBInstanceId", instance, "UserName", user, "Password", "Test_password1", "Type", "normal");
            JsonObject created = postgres.call("CreateAccount", account);
            System.out.println(method + " created " + (created.get("RequestId").getAsString().length() == 36));
            try {
                postgres.call("CreateAccount", account);
            } catch (TencentCloudSDKException refused) {
                System.out.println(method + " again " + refused.getErrorCode());
            }
            boolean listed = false;
            JsonObject all = postgres.call("DescribeAccounts", Map.of("DBInstanceId", instance));
            for (JsonElement row : all.getAsJsonArray("Details")) {
                listed |= row.getAsJsonObject().get("UserName").getAsString().equals(user);
            }
            System.out.println(method + " listed " + listed);
            postgres.call("DeleteAccount", Map.of("DBInstanceId", instance, "UserName", user));
            System.out.println(method + " deleted");
        }
    }

    private JsonObject call(String action, Map<String, String> params) throws TencentCloudSDKException {
        return client.commonRequest(new Params(params), action, JsonObject.class);
    }

    /** Has the shape of the SDK's generated models: fields for JSON, and a map for the older signatures. */
    private static class Params extends AbstractModel {
        @Expose @SerializedName("DBInstanceId") private final String DBInstanceId;
        @Expose @SerializedName("UserName") private final String UserName;
        @Expose @SerializedName("Password") private final String Password;
        @Expose @SerializedName("Type") private final String Type;
        private final transient Map<String, String> given;

        Params(Map<String, String> given) {
            this.given = given;
            DBInstanceId = given.get("DBInstanceId");
            UserName = given.get("UserName");
            Password = given.get("Password");
            Type = given.get("Type");
        }

        @Override
        protected void toMap(HashMap<String, String> map, String prefix) {
            given.forEach((name, value) -> setParamSimple(map, prefix + name, value));
        }
    }
}
