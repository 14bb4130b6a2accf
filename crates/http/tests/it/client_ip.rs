//! Whose network address a request comes from.

use karcis_http::TokenKeys;

use crate::harness::{Signer, TestApp, routes, thing_service};

/// The client IPs of requests from 127.0.0.1 with these headers, where these proxies are trusted.
async fn clients(proxies: &str, cases: &[(&[(&str, &str)], &str)]) {
    let app = thing_service(routes(), TokenKeys::fixed(&Signer::new("k1", 1).keys()));
    let app = TestApp::with_flags(app, &["--trusted-proxies", proxies]).await;
    for (headers, expected) in cases {
        let mut request = app.get("/client");
        for (name, value) in *headers {
            request = request.header(*name, *value);
        }
        let client = request.send().await.unwrap().text().await.unwrap();
        assert_eq!(client, *expected, "{headers:?} with {proxies}");
    }
}

const XFF: &str = "x-forwarded-for";

#[tokio::test]
async fn nobody_is_believed_who_is_no_trusted_proxy() {
    for proxies in ["", "10.0.0.0/8", "127.0.0.2", "::/0"] {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "127.0.0.1"),
            (&[(XFF, "203.0.113.7")], "127.0.0.1"),
            (&[("forwarded", "for=203.0.113.7")], "127.0.0.1"),
        ];
        clients(proxies, cases).await;
    }
}

#[tokio::test]
async fn behind_trusted_proxies_the_last_address_counts_that_is_none_of_theirs() {
    for proxies in
        ["127.0.0.1,10.0.0.0/8,2001:db8:a::/48", "127.0.0.0/8, 10.0.0.0/8,2001:db8:a::/48"]
    {
        let cases: &[(&[(&str, &str)], &str)] = &[
            (&[], "127.0.0.1"),
            (&[(XFF, "203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "203.0.113.7:4711")], "203.0.113.7"),
            (&[(XFF, "::ffff:203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "2001:db8:1:2:3:4:5:6")], "2001:db8:1:2::"),
            (&[(XFF, "[2001:db8:1:2:3:4:5:6]:4711")], "2001:db8:1:2::"),
            (&[(XFF, "[2001:db8:1:2:ffff::]")], "2001:db8:1:2::"),
            // What the client wrote itself is further to the left.
            (&[(XFF, "198.51.100.1, 203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "198.51.100.1,203.0.113.7,10.1.2.3")], "203.0.113.7"),
            (&[(XFF, "203.0.113.7 , 2001:db8:a::1, 10.1.2.3")], "203.0.113.7"),
            (&[(XFF, "198.51.100.1"), (XFF, "203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "203.0.113.7"), (XFF, "10.1.2.3, 10.1.2.4")], "203.0.113.7"),
            // Only proxies: the first of them asks for itself.
            (&[(XFF, "10.1.2.3,10.1.2.4")], "10.1.2.3"),
            // What is no address was written by the last that is one.
            (&[(XFF, "unknown")], "127.0.0.1"),
            (&[(XFF, "")], "127.0.0.1"),
            (&[(XFF, "203.0.113.7,")], "127.0.0.1"),
            (&[(XFF, "203.0.113.7,nonsense,10.1.2.3")], "10.1.2.3"),
            (&[(XFF, "nonsense, 203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "203.0.113.7, 1.2.3.4.5")], "127.0.0.1"),
            (&[(XFF, "ÿ, 203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "for=203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "For=\"203.0.113.7:4711\";proto=https")], "203.0.113.7"),
            (&[("forwarded", "by=10.1.2.3;for=\"[2001:db8:1:2::5]:4711\"")], "2001:db8:1:2::"),
            (
                &[("forwarded", "for=198.51.100.1, for=203.0.113.7;by=a, for=10.1.2.3")],
                "203.0.113.7",
            ),
            (&[("forwarded", "for=\", for=203.0.113.7")], "203.0.113.7"),
            (&[("forwarded", "for=203.0.113.7"), ("forwarded", "for=10.1.2.3")], "203.0.113.7"),
            (&[("forwarded", "for=_hidden")], "127.0.0.1"),
            (&[("forwarded", "for=unknown, for=10.1.2.3")], "10.1.2.3"),
            (&[("forwarded", "proto=https")], "127.0.0.1"),
            // A proxy writes one of them; the other is what its client sent.
            (&[(XFF, "203.0.113.7"), ("forwarded", "for=203.0.113.7")], "203.0.113.7"),
            (&[(XFF, "203.0.113.7"), ("forwarded", "for=198.51.100.1")], "127.0.0.1"),
            (&[(XFF, "198.51.100.1"), ("forwarded", "for=203.0.113.7")], "127.0.0.1"),
        ];
        clients(proxies, cases).await;
    }
}
