"""What `rolecall up` prints when it is ready: the endpoint, the credentials, and snippets to paste."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import urlsplit

_BANNER = Template("""\

Rolecall is ready.

  Endpoint             $endpoint
  Console              $link
                       (signs the owner in once, within 15 minutes; `rolecall console` prints a new link)
  Tencent SecretId     $secret_id
  Tencent SecretKey    $secret_key
  Region               $region
  PostgreSQL instance  $instance  (engine at $host:$port)
  OpenID issuer        $issuer  (client id $client)
  All of this, as JSON $ready_file

Python SDK (pip install tencentcloud-sdk-python-postgres):

  from tencentcloud.common.credential import Credential
  from tencentcloud.common.profile.client_profile import ClientProfile
  from tencentcloud.common.profile.http_profile import HttpProfile
  from tencentcloud.postgres.v20170312 import models, postgres_client

  client = postgres_client.PostgresClient(
      Credential("$secret_id", "$secret_key"), "$region",
      ClientProfile(httpProfile=HttpProfile(protocol="$scheme", endpoint="$netloc")))
  request = models.CreateAccountRequest()
  request.DBInstanceId, request.UserName = "$instance", "app_user"
  request.Type, request.Password = "normal", "Test_password1"
  print(client.CreateAccount(request).to_json_string())

tccli (pip install tccli):

  TENCENTCLOUD_SECRET_ID=$secret_id TENCENTCLOUD_SECRET_KEY=$secret_key \\
  tccli postgres DescribeAccounts --region $region --endpoint $endpoint --DBInstanceId $instance
""")

_MYSQL = Template("""\
MariaDB instance: PetaData $petadata, OpenStack $openstack  (engine at $host:$port)

aliyun-python-sdk-petadata:

  from aliyunsdkcore.client import AcsClient
  from aliyunsdkpetadata.request.v20160101.DescribeAccountsRequest import DescribeAccountsRequest

  request = DescribeAccountsRequest()
  request.set_InstanceId("$petadata")
  request.set_endpoint("$netloc")
  request.set_protocol_type("$scheme")
  print(AcsClient("$secret_id", "$secret_key", "$region").do_action_with_exception(request))

OpenStack:

  OS_AUTH_URL=$auth_url OS_USERNAME=$secret_id OS_PASSWORD=$secret_key OS_PROJECT_ID=$tenant \\
  OS_USER_DOMAIN_ID=default openstack database user list $openstack
""")


_AUTHORITY = Template("""\
TLS uses a certificate authority of its own, which clients must trust: $ca_file

  HttpProfile(certification="$ca_file")  (tencentcloud-sdk-python)
  AcsClient(..., verify="$ca_file")  (aliyun-python-sdk-core)
  OS_CACERT=$ca_file  (OpenStack)
  curl --cacert $ca_file $endpoint/readyz
""")


def banner(ready: Mapping[str, Any], ready_file: Path, link: str) -> str:
    """The text to print. `ready` is the content of the ready file; `link` signs the owner in to the console."""
    tencent, engine = ready["tencent"], ready["engines"]["postgres"]
    endpoint = urlsplit(ready["endpoint"])
    text = _BANNER.substitute(
        endpoint=ready["endpoint"],
        scheme=endpoint.scheme,
        netloc=endpoint.netloc,
        secret_id=tencent["secret_id"],
        secret_key=tencent["secret_key"],
        region=tencent["region"],
        instance=tencent["postgres_instance_id"],
        issuer=tencent["oidc_issuer"],
        client=tencent["oidc_client_id"],
        host=engine["host"],
        port=engine["port"],
        ready_file=ready_file,
        link=link,
    )
    if "mysql" in ready["engines"]:
        text += _mysql(ready)
    if "ca_file" in ready:
        text += "\n" + _AUTHORITY.substitute(ca_file=ready["ca_file"], endpoint=ready["endpoint"])
    return text


def _mysql(ready: Mapping[str, Any]) -> str:
    aliyun, openstack, engine = ready["aliyun"], ready["openstack"], ready["engines"]["mysql"]
    endpoint = urlsplit(ready["endpoint"])
    return "\n" + _MYSQL.substitute(
        petadata=aliyun["instance_id"],
        openstack=openstack["instance_id"],
        host=engine["host"],
        port=engine["port"],
        scheme=endpoint.scheme,
        netloc=endpoint.netloc,
        secret_id=aliyun["access_key_id"],
        secret_key=aliyun["access_key_secret"],
        region=aliyun["region_id"],
        auth_url=openstack["auth_url"],
        tenant=openstack["tenant_id"],
    )
