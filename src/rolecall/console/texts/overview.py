"""Texts of the overview."""

from __future__ import annotations

TEXTS = {
    "overview": ("Overview", "概览"),
    "tile_instances": ("instances running, of {total}", "个实例运行中，共 {total} 个"),
    "tile_calls": ("calls in the last hour", "次调用（最近一小时）"),
    "tile_errors": ("of them answered with an error", "的调用返回错误"),
    "tile_open": ("operations open", "个未完成的操作"),
    "tile_oldest": ("oldest open operation", "最早未完成操作"),
    "tile_users": ("sub-users", "个子用户"),
    "tile_groups": ("groups", "个用户组"),
    "tile_policies": ("policies", "个策略"),
    "seconds": ("{number} s", "{number} 秒"),
    "calls_last_hour": ("Calls of the last hour, by minute", "最近一小时的调用（按分钟）"),
    "calls": ("calls", "调用"),
    "errors": ("errors", "错误"),
    "by_dialect": ("By dialect", "按方言"),
    "dialect": ("Dialect", "方言"),
    "per_minute": ("Calls a minute", "每分钟调用数"),
    "share_of_errors": ("Share of errors", "错误占比"),
    "no_calls": ("No calls in the last hour.", "最近一小时没有调用。"),
    "latest": ("Latest records", "最新记录"),
    "all_records": ("All records", "全部记录"),
    "needs_care": ("{name} cannot be reached.", "无法连接 {name}。"),
    "minute_says": ("{minute}: {calls} calls, {errors} errors", "{minute}：{calls} 次调用，{errors} 次错误"),
}
