INSERT INTO known_peer (user_id, peer)
VALUES ('00000000-0000-7000-8000-000000000001', sha256('peer'));
