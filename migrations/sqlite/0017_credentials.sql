-- Which of a person's credentials are in force: every act that ends their other sign-ins raises the number, and what was
-- begun under an earlier one lets nobody in.
alter table users add column credentials_version integer not null default 0;
alter table sign_ins add column credentials_version integer not null default 0;
alter table pending_sign_ins add column credentials_version integer not null default 0;

-- The administrator who made an invitation, which ends with their rights; nobody for those of the operator and older ones.
alter table links add column created_by blob references users (id) on delete cascade;
create index links_creator on links (created_by) where created_by is not null;

-- When somebody was last there by a sign-in that is deleted by now.
alter table users add column last_seen_at integer;
create index sign_ins_used on sign_ins (last_used_at);

-- New passwords that somebody asked for. Whether anybody has the address is looked at after the answer.
create table reset_requests (
    id blob primary key not null,
    email text not null,
    address text not null,
    user_agent text not null,
    created_at integer not null
);
