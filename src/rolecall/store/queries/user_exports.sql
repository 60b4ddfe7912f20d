-- One range of the index, so without a case for the first page.
-- name: page
{users.user}
 where u.store_id = %(store)s and (u.created_at, u.id) > (%(at)s::timestamptz, %(id)s::uuid)
 order by u.created_at, u.id
 limit %(limit)s
