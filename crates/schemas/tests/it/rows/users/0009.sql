INSERT INTO signing_key (kid, private_key, signs_from)
VALUES ('second', decode(repeat('01', 48), 'hex'), now() + interval '10 minutes');
