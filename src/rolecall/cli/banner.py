"""What `rolecall up` prints when it is ready: the endpoint, the credentials, and snippets to paste."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

_BANNER = Template("""\

Rolecall is ready.

  Endpoint             $endpoint
  Tencent SecretId     $secret_id
  Tencent SecretKey    $secret_key
  Region               $region
  PostgreSQL instance  $instance  (engine at $host:$port)
  All of this, as JSON $ready_file

Python SDK (pip install tencentcloud-sdk-python-postgres):

  from tencentcloud.common.credential import Credential
  from tencentcloud.common.profile.client_profile import ClientProfile
  from tencentcloud.common.profile.http_profile import HttpProfile
  from tencentcloud.postgres.v20170312 import models, postgres_client

  client = postgres_client.PostgresClient(
      Credential("$secret_id", "$secret_key"), "$region",
      ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint="$netloc")))
  request = models.CreateAccountRequest()
  request.DBInstanceId, request.UserName = "$instance", "app_user"
  request.Type, request.Password = "normal", "Test_password1"
  print(client.CreateAccount(request).to_json_string())

tccli (pip install tccli):

  TENCENTCLOUD_SECRET_ID=$secret_id TENCENTCLOUD_SECRET_KEY=$secret_key \\
  tccli postgres DescribeAccounts --region $region --endpoint $endpoint --DBInstanceId $instance
""")


def banner(ready: Mapping[str, Any], ready_file: Path) -> str:
    """`ready` is the content of the ready file."""
    tencent, engine = ready["tencent"], ready["engines"]["postgres"]
    return _BANNER.substitute(
        endpoint=ready["endpoint"],
        netloc=str(ready["endpoint"]).removeprefix("http://"),
        secret_id=tencent["secret_id"],
        secret_key=tencent["secret_key"],
        region=tencent["region"],
        instance=tencent["postgres_instance_id"],
        host=engine["host"],
        port=engine["port"],
        ready_file=ready_file,
    )
