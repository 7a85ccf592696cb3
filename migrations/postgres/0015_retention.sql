-- After how many days without a message a person's chats are deleted, and from when on that holds. Nothing: they are
-- kept.
alter table users add column retention_days bigint;
alter table users add column retention_from bigint;
create index users_retention on users (id) where retention_days is not null;

-- Chats by their age, for the rule of the installation.
create index chats_active on chats (active_at) where deleted_at is null;
