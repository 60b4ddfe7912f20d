"""Regions and zones of `postgres` 2017-03-12, as literal tables.

`REGIONS` is the list that CreateAccount's page of 2026-04-13 prints under "Region". Some numbers are those of the
vendor's example answers (tccli 3.1.189, postgres 2017-03-12: RegionId 4 is ap-shanghai, ZoneId 100004 is
ap-guangzhou-4); the others, and which zones a region has, are representative and were not compared with the live
service. Nothing in Rolecall depends on them: an instance may be registered in any of these regions.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A region. `number` is its RegionId; its zone n is ``<region>-n`` and has the ZoneId `zone_base` + n."""

    region: str
    number: int
    zone_base: int
    zones: tuple[int, ...]
    international: bool
    english: str
    chinese_area: str
    chinese: str


PLACES = (
    Place("ap-bangkok", 23, 230000, (1, 2), True, "Bangkok", "亚太东南", "曼谷"),
    Place("ap-beijing", 8, 800000, (1, 2, 3, 4, 5, 6, 7), False, "Beijing", "华北地区", "北京"),
    Place("ap-chengdu", 16, 160000, (1, 2), False, "Chengdu", "西南地区", "成都"),
    Place("ap-chongqing", 19, 190000, (1,), False, "Chongqing", "西南地区", "重庆"),
    Place("ap-guangzhou", 1, 100000, (1, 2, 3, 4, 6, 7), False, "Guangzhou", "华南地区", "广州"),
    Place("ap-hongkong", 5, 300000, (1, 2, 3), True, "Hong Kong", "港澳台地区", "中国香港"),
    Place("ap-jakarta", 72, 720000, (1, 2), True, "Jakarta", "亚太东南", "雅加达"),
    Place("ap-nanjing", 33, 330000, (1, 2, 3), False, "Nanjing", "华东地区", "南京"),
    Place("ap-seoul", 18, 180000, (1, 2), True, "Seoul", "亚太东北", "首尔"),
    Place("ap-shanghai", 4, 200000, (1, 2, 3, 4, 5, 8), False, "Shanghai", "华东地区", "上海"),
    Place("ap-shanghai-fsi", 7, 700000, (1, 2, 3), False, "Shanghai Finance", "华东地区", "上海金融"),
    Place("ap-shenzhen-fsi", 11, 110000, (1, 2, 3), False, "Shenzhen Finance", "华南地区", "深圳金融"),
    Place("ap-singapore", 9, 900000, (1, 2, 3, 4), True, "Singapore", "亚太东南", "新加坡"),
    Place("ap-tokyo", 25, 250000, (1, 2), True, "Tokyo", "亚太东北", "东京"),
    Place("eu-frankfurt", 17, 170000, (1, 2), True, "Frankfurt", "欧洲地区", "法兰克福"),
    Place("na-ashburn", 22, 220000, (1, 2), True, "Virginia", "美国东部", "弗吉尼亚"),
    Place("na-siliconvalley", 15, 150000, (1, 2), True, "Silicon Valley", "美国西部", "硅谷"),
    Place("sa-saopaulo", 74, 740000, (1,), True, "Sao Paulo", "南美地区", "圣保罗"),
)

REGIONS = frozenset(place.region for place in PLACES)

CAM_REGIONS = frozenset({"ap-guangzhou", "ap-shanghai"})
"""Where CAM verification of database accounts is offered ("Database CAM Verification", product 409)."""

CHINESE_NUMERALS = "零一二三四五六七八九"
