-- When the account was asked to be deleted, and when it is.
alter table users add column deletion_asked_at integer;
alter table users add column deletion_at integer;
create index users_deletion on users (deletion_at) where deletion_at is not null;

-- The claim outlives the account that made it: one installation has one first administrator.
create table installation_next (
    singleton integer primary key check (singleton = 1),
    administrator_id blob references users (id) on delete set null,
    created_at integer not null
);
insert into installation_next (singleton, administrator_id, created_at)
    select singleton, administrator_id, created_at from installation;
drop table installation;
alter table installation_next rename to installation;

-- The notice outlives the account of the administrator who asked; then it names nobody.
create table factor_removals_next (
    user_id blob primary key not null references users (id) on delete cascade,
    asked_by blob,
    created_at integer not null,
    due_at integer not null
);
insert into factor_removals_next (user_id, asked_by, created_at, due_at)
    select user_id, asked_by, created_at, due_at from factor_removals;
drop table factor_removals;
alter table factor_removals_next rename to factor_removals;
create index factor_removals_due on factor_removals (due_at);

-- Receipts of deleted accounts: when, and how many rows of which table. Nothing in them says whose.
create table deletions (
    id blob primary key not null,
    asked_at integer not null,
    done_at integer not null,
    counts text not null
);
create index deletions_done on deletions (done_at, id);

-- All rows of a person are found without reading those of everybody.
create index chats_owner on chats (owner_id);
create index runs_owner on runs (owner_id);
create index runs_chat on runs (chat_id);
