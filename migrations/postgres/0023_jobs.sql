-- Work in the background that outlives a restart. A job is about one row of another table, or stands for a schedule; then
-- its subject is the nil UUID. `run_at` is when it is due; of a running job, when its lease ends.
create table jobs (
    kind text not null,
    subject_id uuid not null,
    state text not null check (state in ('waiting', 'running', 'failed')),
    run_at bigint not null,
    attempts bigint not null default 0,
    lease uuid,
    done bigint not null default 0,
    total bigint not null default 0,
    last_error text,
    created_at bigint not null,
    primary key (kind, subject_id)
);
create index jobs_due on jobs (kind, run_at) where state <> 'failed';
create index jobs_failed on jobs (run_at) where state = 'failed';
create index jobs_subject on jobs (subject_id);

-- What another instance is writing at this moment is waited for, and not passed over.
lock table users, mails, exports, factor_removals in share row exclusive mode;

-- What waited until now.
insert into jobs (kind, subject_id, state, run_at, attempts, last_error, created_at)
    select 'send_mail', id, 'waiting', next_attempt_at, attempts, last_error, created_at
    from mails where next_attempt_at is not null;
insert into jobs (kind, subject_id, state, run_at, attempts, last_error, created_at)
    select 'send_mail', id, 'failed', created_at, attempts, last_error, created_at
    from mails where next_attempt_at is null and sent_at is null;
insert into jobs (kind, subject_id, state, run_at, created_at)
    select 'build_export', id, 'waiting', created_at, created_at from exports where state in ('waiting', 'working');
insert into jobs (kind, subject_id, state, run_at, created_at)
    select 'delete_account', id, 'waiting', deletion_at, deletion_asked_at from users where deletion_at is not null;
insert into jobs (kind, subject_id, state, run_at, created_at)
    select 'remove_factors', user_id, 'waiting', due_at, created_at from factor_removals;

-- What the jobs know now.
drop index mails_due;
drop index mails_given_up;
alter table mails drop column attempts;
alter table mails drop column next_attempt_at;
alter table mails drop column last_error;
alter table mails drop column lease;
alter table mails drop column lease_until;
create index mails_unsent on mails (created_at) where sent_at is null;
alter table exports drop column attempts;
alter table exports drop column lease;
alter table exports drop column lease_until;
drop index factor_removals_due;
drop index users_deletion;
