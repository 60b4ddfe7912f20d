"""Texts of signing in and out, and of passwords."""

from __future__ import annotations

TEXTS = {
    "sign_in": ("Sign in", "登录"),
    "console_sign_in": ("Sign in to the console", "登录控制台"),
    "as_owner": ("As the owner", "主账号登录"),
    "as_sub_user": ("As a sub-user", "子用户登录"),
    "key_id": ("Access key id (SecretId)", "访问密钥 ID（SecretId）"),
    "key_secret": ("Secret key (SecretKey)", "密钥（SecretKey）"),
    "owner": ("Owner account number", "主账号 ID"),
    "sub_user": ("Sub-user name", "子用户名"),
    "password": ("Password", "密码"),
    "link_hint": (
        "On the machine where Rolecall runs, `rolecall console` prints a link that signs the owner in.",
        "在运行 Rolecall 的机器上，执行 `rolecall console` 可获得主账号的一次性登录链接。",
    ),
    "link_invalid": (
        "This link was used or has expired. `rolecall console` prints a new one.",
        "该链接已被使用或已过期。执行 `rolecall console` 可获得新链接。",
    ),
    "link_elsewhere": (
        "A sign-in link is good on the machine where Rolecall runs only.",
        "登录链接只能在运行 Rolecall 的机器上使用。",
    ),
    "wrong": (
        "The name or the password is wrong, or this account cannot sign in now.",
        "用户名或密码错误，或该账号目前无法登录。",
    ),
    "wrong_key": (
        "This is not an active access key of an owner, or the secret key is wrong.",
        "该密钥不是主账号的有效密钥，或 SecretKey 错误。",
    ),
    "too_many": (
        "Too many attempts came from your network. Try again in {seconds} seconds.",
        "来自您网络的尝试次数过多，请在 {seconds} 秒后重试。",
    ),
    "busy": ("The server is busy. Try again in a moment.", "服务器繁忙，请稍后重试。"),
    "session_ended": (
        "Your session has ended. Sign in to go on; what you typed is kept, except secrets.",
        "您的会话已结束，请重新登录。您输入的内容（密码除外）已保留。",
    ),
    "resume": ("Send what you typed?", "是否提交您输入的内容？"),
    "resume_hint": (
        "Your session ended before this was sent. Nothing was done yet.",
        "会话在提交前已结束，尚未执行任何操作。",
    ),
    "typed": ("What you typed", "您输入的内容"),
    "send": ("Send", "提交"),
    "change_password": ("Change the password", "修改密码"),
    "must_change": ("Before you go on, choose a new password.", "继续之前，请设置新密码。"),
    "current_password": ("Current password", "当前密码"),
    "new_password": ("New password", "新密码"),
    "repeat_password": ("New password, once more", "再次输入新密码"),
    "password_rules_hint": (
        "Your organization's rules for passwords apply.",
        "须符合所属账号的密码规则。",
    ),
    "password_differs": ("The two new passwords differ.", "两次输入的新密码不一致。"),
    "password_wrong": ("The current password is wrong.", "当前密码错误。"),
    "password_rules": (
        "The new password does not keep your organization's rules, or was used before.",
        "新密码不符合所属账号的密码规则，或曾被使用过。",
    ),
    "password_length": ("The new password is too short or too long.", "新密码过短或过长。"),
    "who": ("Who you are", "您的身份"),
    "number": ("Number", "账号 ID"),
    "email": ("Email", "邮箱"),
    "phone": ("Phone", "手机号"),
    "last_sign_in": ("Last sign-in", "上次登录"),
    "from_address": ("from {address}", "来自 {address}"),
    "keys": ("Your access keys", "您的访问密钥"),
    "last_use": ("Last use", "最近使用"),
    "active": ("active", "已启用"),
    "inactive": ("disabled", "已禁用"),
    "no_keys": ("You have no access keys.", "您没有访问密钥。"),
    "groups": ("Groups", "用户组"),
    "policies": ("Policies", "策略"),
}
