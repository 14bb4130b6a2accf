INSERT INTO sales_day (event_id, day, ticket_type_id, sold, refunded, revenue, refunds)
VALUES ('00000000-0000-7000-8000-000000000001', '2036-08-01', '00000000-0000-7000-8000-000000000003', 2, 1, 1500000,
    750000);
