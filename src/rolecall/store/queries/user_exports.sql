-- name: page
{users.user}
 where u.store_id = %(store)s and {users.newer}
 limit %(limit)s
