-- The colour that an owner gives to the sign-in pages of a user store; null: that of the pages.

alter table user_stores add column colour text check (colour ~ '^#[0-9a-f]{6}$');
