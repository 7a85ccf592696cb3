-- Which of the session records that name a sign-in is the one that counts: each new id of the session raises it, so that
-- a copy of an older record, left behind in a cache, is nobody's.
alter table sign_ins add column serial bigint not null default 0;
