"""Texts of registering, checking and changing servers of one's own."""

from __future__ import annotations

from rolecall.domain.instances.examination import WORDS, Says

_CHINESE: dict[Says, tuple[str, str]] = {
    Says.SUPERUSER: ("{engine} {version}，{administrator} 是超级用户。", ""),
    Says.ADMINISTRATOR: ("{engine} {version}，{administrator} 不是超级用户。", ""),
    Says.UNUSABLE: (
        "无法使用该服务器：{why}",
        "请检查服务器是否运行，以及地址、管理员名称、密码和 TLS 设置。",
    ),
    Says.NOT_CHECKED: ("未检查：{phase}", ""),
    Says.NOT_CREATED: (
        "未检查：{phase}",
        "请通过 API 删除该实例；rolecall operation list 会显示创建失败的原因。",
    ),
    Says.UNSEALED: ("无法解密管理员密码：{why}", "请移除该实例后重新添加。"),
    Says.VERIFIERS_UNREADABLE: (
        "{administrator} 无法读取 pg_authid，Rolecall 因此无法核实新密码。",
        '请以超级用户执行：GRANT SELECT ON pg_catalog.pg_authid TO "{administrator}"',
    ),
    Says.BY_CATALOG: ("密码校验值通过更新 pg_authid 写入（catalog）。", ""),
    Says.BY_STATEMENT: ("密码校验值通过 CREATE ROLE 和 ALTER ROLE 写入（statement）。", ""),
    Says.CATALOG_WITHHELD: (
        "密码校验值通过 CREATE ROLE 和 ALTER ROLE 写入，而未按实例设置写入 pg_authid：{why}",
        "请将写入方式改为 statement，或更改服务器设置。",
    ),
    Says.HASHES_REFUSED: (
        "服务器拒绝已哈希的密码：{why}",
        "请执行 SET GLOBAL strict_password_validation=OFF（并写入配置文件），或卸载该插件。",
    ),
    Says.NO_SUPER_ACCOUNTS: ("高权限账号需要 PostgreSQL {least} 或更高版本。", ""),
    Says.EXPIRIES: ("账号有效期：{expired} 个账号已过期，{soon} 个账号将在 {days} 天内过期。", ""),
    Says.CHANNEL_LOCAL: ("连接：服务器在本机。", ""),
    Says.CHANNEL_VERIFIED: ("连接：verify-full，已验证服务器证书。", ""),
    Says.CHANNEL_WEAK: (
        "连接：sslmode 为 {mode}，其他服务器可能冒充该服务器。",
        "请使用 verify-full，必要时指定证书颁发机构文件。",
    ),
}


def _english(says: Says) -> tuple[str, str]:
    words = WORDS[says]
    detail = f"{words.about.capitalize()}: {words.detail}" if words.about else words.detail
    return detail, words.fix[:1].upper() + words.fix[1:]


_FINDINGS = {
    f"finding_{says}{end}": (_english(says)[part], _CHINESE[says][part])
    for says in Says
    for part, end in enumerate(("", "_fix"))
}

TEXTS = {
    **_FINDINGS,
    "findings": ("What was found on the server", "服务器检查结果"),
    "finding_good": ("good", "正常"),
    "finding_bad": ("not usable", "不可用"),
    "finding_weak": ("weak", "不安全"),
    "instance_new": ("Register a server", "注册服务器"),
    "check": ("Check", "检查"),
    "instance_check": ("Check the server", "检查服务器"),
    "check_again": ("Check again", "重新检查"),
    "edit": ("Edit", "修改"),
    "instance_edit": ("Edit the instance", "修改实例"),
    "unregister": ("Unregister", "取消注册"),
    "instance_remove": ("Unregister the instance", "取消注册实例"),
    "engine_postgresql": ("PostgreSQL", "PostgreSQL"),
    "engine_mariadb": ("MariaDB", "MariaDB"),
    "engine_mysql": ("MySQL", "MySQL"),
    "server_host": ("Host", "主机"),
    "server_host_hint": ("A name or an IP address.", "主机名或 IP 地址。"),
    "port": ("Port", "端口"),
    "port_hint": (
        "Empty: 5432 for PostgreSQL, 3306 for MariaDB and MySQL.",
        "留空时，PostgreSQL 为 5432，MariaDB 和 MySQL 为 3306。",
    ),
    "administrator": ("Administrator", "管理员"),
    "administrator_hint": (
        "The account with which Rolecall manages the server.",
        "Rolecall 用于管理该服务器的账号。",
    ),
    "administrator_password": ("Administrator's password", "管理员密码"),
    "typed_twice_hint": (
        "Used to check the server, and not kept until it is registered: each step asks for it.",
        "用于检查服务器，注册之前不会保存，因此每一步都需要输入。",
    ),
    "maintenance_database": ("Database to connect to", "连接的数据库"),
    "maintenance_database_hint": (
        "PostgreSQL only. Empty: postgres.",
        "仅用于 PostgreSQL，留空时为 postgres。",
    ),
    "tls_mode": ("TLS", "TLS"),
    "tls_default": ("verify-full; prefer on this machine", "verify-full（本机为 prefer）"),
    "tls_mode_hint": (
        "verify-full encrypts and verifies the server's certificate and its name.",
        "verify-full 会加密连接，并验证服务器证书及其名称。",
    ),
    "tls_authorities": ("File of certificate authorities", "证书颁发机构文件"),
    "tls_authorities_hint": (
        "The path of a PEM file on the machine of Rolecall. Empty: the system's authorities.",
        "Rolecall 所在机器上 PEM 文件的路径，留空时使用系统的证书颁发机构。",
    ),
    "instance_name_hint": ("Empty: its id.", "留空时使用其 ID。"),
    "public_id": ("Id", "ID"),
    "public_id_hint": (
        "The id in its first dialect, such as postgres-5cz25tr5. Empty: a new one.",
        "在其第一种方言中的 ID，如 postgres-5cz25tr5，留空时自动生成。",
    ),
    "region_hint": (
        "The region and the zone that the API reports. Empty: those of the kind of server.",
        "API 返回的地域和可用区，留空时使用该类服务器的默认值。",
    ),
    "zone": ("Zone", "可用区"),
    "missing": ("This is required.", "此项必填。"),
    "host_malformed": ("This is not a host name or an IP address.", "不是主机名或 IP 地址。"),
    "port_malformed": ("A port is a number from 1 to 65535.", "端口为 1 至 65535 的数字。"),
    "engine_malformed": ("Choose a kind of server.", "请选择服务器类型。"),
    "sslmode_malformed": ("Choose a mode of TLS.", "请选择 TLS 模式。"),
    "sslrootcert_malformed": (
        "This is not the absolute path of a file on the machine where Rolecall runs.",
        "不是 Rolecall 所在机器上某个文件的绝对路径。",
    ),
    "public_id_malformed": (
        "An id has letters, digits, hyphens and underscores, at most 64.",
        "ID 由字母、数字、连字符和下划线组成，最多 64 个字符。",
    ),
    "region_malformed": (
        "A region has lower-case letters, digits and hyphens.",
        "地域由小写字母、数字和连字符组成。",
    ),
    "zone_malformed": (
        "A zone has lower-case letters, digits and hyphens.",
        "可用区由小写字母、数字和连字符组成。",
    ),
    "verifier_write_malformed": ("Choose statement or catalog.", "请选择 statement 或 catalog。"),
    "account_quota_malformed": ("A quota is a number.", "配额为数字。"),
    "callers_malformed": (
        "Account numbers (uin), separated by commas.",
        "账号数字 ID（uin），以逗号分隔。",
    ),
    "text_malformed": (
        "At most {most} characters, none of them a control character.",
        "最多 {most} 个字符，且不含控制字符。",
    ),
    "not_registered": (
        "The server is not registered: it cannot be used as it is.",
        "服务器未注册：目前无法使用。",
    ),
    "public_id_taken": ("Another instance has this id.", "此 ID 已被其他实例使用。"),
    "instance_changed_meanwhile": (
        "The instance was changed since this form was opened. Look at it, then send the form again.",
        "打开此表单后，实例已被更改。请查看后重新提交。",
    ),
    "nothing_to_change": ("Nothing was changed in the form.", "表单中没有更改。"),
    "instance_new_effect": (
        "Registers the server {address} as “{name}”.",
        "将服务器 {address} 注册为“{name}”。",
    ),
    "effect_recorded": (
        "Rolecall connects as {administrator} to the database {database} and keeps the password sealed.",
        "Rolecall 以 {administrator} 连接数据库 {database}，密码加密保存。",
    ),
    "effect_tls": ("TLS to the server: {mode}.", "到服务器的 TLS：{mode}。"),
    "effect_placed": (
        "It gets an id in each of: {dialects}. The API reports the region {region}, zone {zone}.",
        "在以下方言中获得 ID：{dialects}。API 返回的地域为 {region}，可用区为 {zone}。",
    ),
    "effect_server_unchanged": (
        "The server is not changed until an account is created.",
        "在创建账号之前，不会更改服务器。",
    ),
    "instance_edit_effect": (
        "Changes how Rolecall uses “{name}” ({address}). The server is not changed.",
        "更改 Rolecall 使用“{name}”（{address}）的方式，服务器不变。",
    ),
    "instance_remove_effect": (
        (
            "Unregisters “{name}” ({address}): Rolecall forgets its accounts’ remarks and managed passwords."
            " The server and its accounts are not changed."
        ),
        "取消注册“{name}”（{address}）：Rolecall 将不再保留其账号的备注和托管密码。服务器及其账号不变。",
    ),
    "isolate": ("Isolated", "隔离"),
    "isolate_hint": (
        "Calls that need the server are refused.",
        "拒绝需要该服务器的调用。",
    ),
    "listed_callers": ("Callers", "调用者"),
    "listed_callers_hint": (
        "Account numbers (uin) that may use it, separated by commas. Empty: all of the owner’s.",
        "允许使用的账号数字 ID（uin），以逗号分隔，留空时为主账号的全部调用者。",
    ),
    "account_quota": ("Quota of accounts", "账号配额"),
    "account_quota_hint": (
        "Empty: the vendor’s. 0: no limit.",
        "留空时使用厂商的配额，0 表示无限制。",
    ),
    "verifier_write": ("How verifiers are stored", "密码校验值的写入方式"),
    "verifier_write_hint": (
        "statement: by CREATE and ALTER ROLE. catalog: in pg_authid, which skips password checks and role audits.",
        "statement：通过 CREATE ROLE 和 ALTER ROLE；catalog：直接写入 pg_authid，会跳过密码检查和角色审计。",
    ),
}
