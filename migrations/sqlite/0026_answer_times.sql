-- How long the model took for an answer, in milliseconds: to reason, and to write all of it. Zero where it is not known.
alter table messages add column thinking_ms integer not null default 0;
alter table messages add column writing_ms integer not null default 0;
