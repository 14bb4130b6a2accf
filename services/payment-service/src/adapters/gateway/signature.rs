//! Signatures of webhooks: `t=<unix time>,v1=<hex of HMAC-SHA-256 of "t.body">`.

use hmac::{Hmac, KeyInit, Mac};
use karcis_kernel::Timestamp;
use sha2::Sha256;

use crate::application::WrongSignature;

/// A webhook that was signed longer ago, or later than now by more, is not taken.
const MAX_AGE_S: i64 = 300;
/// The most signatures of one webhook that are compared.
const MAX_SIGNATURES: usize = 8;

/// The signature of `body` at this time.
pub(super) fn sign(secret: &str, now: Timestamp, body: &[u8]) -> String {
    let time = now.timestamp().to_string();
    let bytes = mac(secret, &time, body).finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={time},v1={hex}")
}

/// Whether one of the signatures is by one of the secrets, and not too old. Compares in constant time.
pub(super) fn verify(
    signature: &str,
    secrets: &[String],
    body: &[u8],
    now: Timestamp,
) -> Result<(), WrongSignature> {
    let parts = || signature.split(',').filter_map(|part| part.trim().split_once('='));
    let values = |name| parts().filter(move |(it, _)| *it == name).map(|(_, value)| value);
    let (Some(time), None) = (values("t").next(), values("t").nth(1)) else {
        return Err(WrongSignature::Wrong);
    };
    let signatures: Vec<[u8; 32]> =
        values("v1").take(MAX_SIGNATURES).filter_map(from_hex).collect();
    let is_right = secrets.iter().any(|secret| {
        let mac = mac(secret, time, body);
        signatures.iter().any(|signature| mac.clone().verify_slice(signature).is_ok())
    });
    let signed_at = time.parse::<i64>().map_err(|_| WrongSignature::Wrong)?;
    match (is_right, signed_at.abs_diff(now.timestamp()) <= MAX_AGE_S.unsigned_abs()) {
        (false, _) => Err(WrongSignature::Wrong),
        (true, false) => Err(WrongSignature::TooOld),
        (true, true) => Ok(()),
    }
}

fn mac(secret: &str, time: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac: Hmac<Sha256> =
        KeyInit::new_from_slice(secret.as_bytes()).expect("a key may have any length");
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"intent":"0199"}"#;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_700_000_000 + seconds, 0).expect("a time")
    }

    fn secrets(all: &[&str]) -> Vec<String> {
        all.iter().map(|secret| (*secret).to_owned()).collect()
    }

    #[test]
    fn what_was_signed_with_any_of_the_secrets_is_right_for_300_s() {
        let signature = sign("the second secret", at(0), BODY);
        let known = secrets(&["the first secret", "the second secret"]);
        for seconds in [-300, 0, 300] {
            assert_eq!(verify(&signature, &known, BODY, at(seconds)), Ok(()));
        }
        for seconds in [-301, 301, i64::from(i32::MAX)] {
            let told = verify(&signature, &known, BODY, at(seconds));
            assert_eq!(told, Err(WrongSignature::TooOld));
        }
        let wrong = Err(WrongSignature::Wrong);
        assert_eq!(verify(&signature, &known[..1], BODY, at(0)), wrong);
        assert_eq!(verify(&signature, &[], BODY, at(0)), wrong);
        assert_eq!(verify(&signature, &known, b"{}", at(0)), wrong);
        // While a provider changes its secret, it may sign with both.
        let (_, right) = signature.split_once(",").expect("two parts");
        let other = sign("a secret of its own", at(0), BODY);
        assert_eq!(verify(&format!("{other}, {right}"), &known, BODY, at(0)), Ok(()));
    }

    #[test]
    fn what_is_no_signature_is_wrong() {
        let known = secrets(&["the first secret"]);
        let right = sign(&known[0], at(0), BODY);
        let (time, v1) = right.split_once(',').expect("two parts");
        let hex = v1.trim_start_matches("v1=");
        for wrong in [
            String::new(),
            "t,v1".to_owned(),
            time.to_owned(),
            v1.to_owned(),
            format!("{time},v1="),
            format!("{time},v1={}", &hex[1..]),
            format!("{time},v1={hex}0"),
            format!("{time},v1=+{}", &hex[1..]),
            format!("{time},v1={}", "é".repeat(32)),
            format!("{time},v0={hex}"),
            format!("{time},{time},{v1}"),
            format!("t=now,{v1}"),
            format!("t=0,{v1}"),
            format!("{time}0,{v1}"),
            format!("t=-99999999999999999999,{v1}"),
        ] {
            assert_eq!(verify(&wrong, &known, BODY, at(0)), Err(WrongSignature::Wrong), "{wrong}");
        }
        assert_eq!(verify(&right, &known, BODY, at(0)), Ok(()));
    }
}
