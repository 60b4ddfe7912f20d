"""Regions of PetaData.

Source: aliyun-python-sdk-core 2.16.1, the endpoint table of PetaData. No list of zones is published: each region has
one here, in the vendor's manner of naming.
"""

from __future__ import annotations

REGIONS = (
    "cn-hangzhou",
    "cn-beijing",
    "cn-shanghai",
    "cn-shenzhen",
    "cn-qingdao",
    "cn-hongkong",
    "cn-huhehaote",
    "cn-zhangjiakou",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-5",
    "us-west-1",
    "us-east-1",
    "eu-central-1",
    "me-east-1",
)


def zone_of(region: str) -> str:
    return f"{region}-a"
