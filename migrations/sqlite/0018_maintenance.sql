-- Whose a session record is, where it names a sign-in: a person's records are found without reading everybody's. Records
-- from before name nobody here; they are found by their text.
alter table sessions add column user_id blob;
create index sessions_user on sessions (user_id) where user_id is not null;

-- The last word of the key: a machine's address, an account's address or id.
alter table throttles add column subject text not null default '';
update throttles set subject = replace(key, rtrim(key, replace(key, ' ', '')), '');
create index throttles_subject on throttles (subject);

-- Set once rows of an account are being deleted: from then on it cannot be kept.
alter table users add column deletion_begun boolean not null default false;

-- How many rows of which table of an account were deleted so far, for its receipt.
create table deletion_counts (
    user_id blob not null references users (id) on delete cascade,
    name text not null,
    deleted integer not null,
    primary key (user_id, name)
);

-- What the audit still says of people. Entries leave these indexes when they are blanked.
create index audit_of_actor on audit (actor_id)
    where actor_id is not null and (address <> '' or user_agent <> '' or detail <> '');
create index audit_of_subject on audit (subject_id)
    where subject_id is not null and (detail <> '' or (actor_id is null and (address <> '' or user_agent <> '')));

-- What is deleted by its age or its address is found without reading everything.
create index mails_recipient on mails (lower(recipient));
create index mails_sent on mails (sent_at) where sent_at is not null;
create index mails_given_up on mails (created_at) where next_attempt_at is null and sent_at is null;
create index links_email on links (lower(email)) where email is not null;
create index ceremonies_user on ceremonies (user_id) where user_id is not null;
create index provider_flows_user on provider_flows (user_id) where user_id is not null;
