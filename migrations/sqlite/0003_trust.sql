-- When the person last proved who they are: by signing in, or when they were asked again.
alter table sign_ins add column authenticated_at integer not null default 0;
update sign_ins set authenticated_at = created_at;

-- Who did what, to whom, from where, with which result. Rows are added in the transaction of the act, never changed,
-- and pruned by age. No foreign keys: what is told of a person outlives the account.
create table audit (
    id blob primary key not null,
    at integer not null,
    actor_id blob,
    subject_id blob,
    action text not null,
    outcome text not null check (outcome in ('done', 'refused')),
    detail text not null,
    address text not null,
    user_agent text not null
);
create index audit_subject on audit (subject_id, at, id);
create index audit_at on audit (at, id);
