-- Numbers that a repeated record has shown before the record itself had: two processes answered it at once, or one died after the money. They
-- have not been used twice when they come. See src/store/sequence.ts. Locks: a moment of usage_sequence (a constant default). Breaking: no.

alter table usage_sequence add column repeated int8multirange not null default '{}';
