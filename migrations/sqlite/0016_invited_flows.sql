-- The invitation with which somebody went to a provider: the hash of its token, in base64.
alter table provider_flows add column invitation text;
