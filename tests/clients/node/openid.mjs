// Signs a user of a user store in with openid-client: discovery, password grant, userinfo, refresh, revocation.
import * as openid from "openid-client";

const [issuer, clientId, username, password] = process.argv.slice(2);
const provider = await openid.discovery(new URL(issuer), clientId, undefined, openid.None(), {
  execute: [openid.allowInsecureRequests],
});
const granted = await openid.genericGrantRequest(provider, "password", { username, password, scope: "openid" });
const subject = granted.claims().sub;
console.log("granted", granted.claims().iss === issuer);
const user = await openid.fetchUserInfo(provider, granted.access_token, subject);
console.log("userinfo", user.sub === subject, user.name);
const refreshed = await openid.refreshTokenGrant(provider, granted.refresh_token);
console.log("refreshed", refreshed.access_token !== granted.access_token);
await openid.tokenRevocation(provider, refreshed.refresh_token);
const ended = await openid.refreshTokenGrant(provider, refreshed.refresh_token).catch((error) => error);
console.log("revoked", ended.error);
