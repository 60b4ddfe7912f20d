"""Texts of operations: the audit trail."""

from __future__ import annotations

TEXTS = {
    "operations": ("Operations", "操作记录"),
    "for_the_owner": ("The audit trail is for the owner.", "审计记录仅供主账号查看。"),
    "time": ("Time", "时间"),
    "since": ("Since (UTC)", "开始时间（UTC）"),
    "until": ("Until (UTC)", "结束时间（UTC）"),
    "principal": ("Principal", "操作者"),
    "action": ("Action", "操作"),
    "target": ("Target", "对象"),
    "outcome": ("Outcome", "结果"),
    "any": ("any", "全部"),
    "client_address": ("From", "来源地址"),
    "request_id": ("Request id", "请求 ID"),
    "detail": ("Detail", "详情"),
    "filter": ("Filter", "筛选"),
    "filter_wrong": ("This filter cannot be read: {name}.", "无法识别该筛选条件：{name}。"),
    "older": ("Older", "更早"),
    "newest": ("Newest", "最新"),
    "export": ("Export as JSON lines", "导出为 JSON 行"),
    "verify": ("Verify the chain", "校验记录链"),
    "verified": (
        "{records} records are unchanged. {unchained} recent ones are not chained yet.",
        "{records} 条记录未被篡改，另有 {unchained} 条新记录尚未入链。",
    ),
    "broken": ("The audit trail is broken: {why}", "审计记录已被破坏：{why}"),
    "story": ("Request {request}", "请求 {request}"),
    "records": ("Records", "记录"),
    "operation": ("Operation", "操作"),
    "change": ("Change", "变更"),
    "accepted_at": ("Accepted", "受理时间"),
    "closed_at": ("Closed", "完成时间"),
    "attempts": ("Attempts", "尝试次数"),
    "still_open": ("still open", "尚未完成"),
}
