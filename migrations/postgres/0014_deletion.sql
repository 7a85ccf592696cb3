-- When the account was asked to be deleted, and when it is.
alter table users add column deletion_asked_at bigint;
alter table users add column deletion_at bigint;
create index users_deletion on users (deletion_at) where deletion_at is not null;

-- The claim outlives the account that made it: one installation has one first administrator.
alter table installation alter column administrator_id drop not null;
alter table installation drop constraint installation_administrator_id_fkey;
alter table installation add constraint installation_administrator_id_fkey
    foreign key (administrator_id) references users (id) on delete set null;

-- The notice outlives the account of the administrator who asked; then it names nobody.
alter table factor_removals alter column asked_by drop not null;

-- Receipts of deleted accounts: when, and how many rows of which table. Nothing in them says whose.
create table deletions (
    id uuid primary key not null,
    asked_at bigint not null,
    done_at bigint not null,
    counts text not null
);
create index deletions_done on deletions (done_at, id);

-- All rows of a person are found without reading those of everybody.
create index chats_owner on chats (owner_id);
create index runs_owner on runs (owner_id);
create index runs_chat on runs (chat_id);
