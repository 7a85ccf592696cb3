-- What a run has taken so far, so that it is known of an answer that never came to its end; and how many tokens each named
-- section of its prompt took, as JSON.
alter table runs add column prompt_tokens integer not null default 0;
alter table runs add column answer_tokens integer not null default 0;
alter table runs add column prompt_sections text not null default '{}';
