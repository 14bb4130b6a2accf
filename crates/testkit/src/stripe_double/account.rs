//! What the double keeps of its account, and what each call does to it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use axum::http::Method;
use serde_json::{Value, json};

use super::StripeFault;

/// How many objects a page of a list has: fewer than Stripe's, so that there are several.
const PAGE: usize = 2;

#[derive(Default)]
pub(super) struct Account {
    pub(super) intents: BTreeMap<String, Value>,
    /// Newest first, as Stripe lists them.
    pub(super) charges: Vec<Value>,
    pub(super) refunds: Vec<Value>,
    /// By idempotency key: what was asked, and the answer.
    pub(super) answered: HashMap<String, (String, u16, Value)>,
    /// What happens to the next call whose method and path end so.
    pub(super) faults: Vec<(String, StripeFault)>,
    /// Method and path of all calls, and when each came.
    pub(super) calls: Vec<(Instant, String)>,
    names: usize,
}

/// Parameters of a call.
pub(super) type Form = BTreeMap<String, String>;
/// Status and body of an answer.
pub(super) type Done = (u16, Value);

/// An answer that says why nothing was done.
pub(super) fn error(status: u16, error: Value) -> Done {
    (status, json!({"error": error}))
}

fn asked(method: &Method, path: &str, form: &Form) -> String {
    format!("{method} {path} {form:?}")
}

fn refused(code: &str) -> Done {
    error(400, json!({"type": "invalid_request_error", "code": code}))
}

impl Account {
    /// Does it once per key; a key that is known for something else is an error.
    pub(super) fn once(
        &mut self,
        key: Option<&str>,
        method: &Method,
        path: &str,
        form: &Form,
    ) -> Done {
        let asked = asked(method, path, form);
        match key.and_then(|key| self.answered.get(key)) {
            Some((before, status, body)) if *before == asked => (*status, body.clone()),
            Some(_) => error(400, json!({"type": "idempotency_error"})),
            None => {
                let done = self.run(method, path, form);
                self.keep(key.filter(|_| !is_lost(form)), method, path, form, &done);
                done
            }
        }
    }

    /// Who asks this again under this key is answered so.
    pub(super) fn keep(
        &mut self,
        key: Option<&str>,
        method: &Method,
        path: &str,
        form: &Form,
        (status, body): &Done,
    ) {
        if let Some(key) = key {
            let kept = (asked(method, path, form), *status, body.clone());
            self.answered.insert(key.to_owned(), kept);
        }
    }

    fn run(&mut self, method: &Method, path: &str, form: &Form) -> Done {
        let parts: Vec<&str> = path.trim_start_matches("/v1/").split('/').collect();
        match (method.as_str(), &parts[..]) {
            ("POST", ["payment_intents"]) => self.create(form),
            ("GET", ["payment_intents", name]) => self.show(name),
            ("POST", ["payment_intents", name]) => self.update(name, form),
            ("POST", ["payment_intents", name, "confirm"]) => self.confirm(name, form),
            ("POST", ["payment_intents", name, "cancel"]) => self.cancel(name),
            ("POST", ["refunds"]) => self.refund(form),
            ("GET", ["refunds"]) => page(&self.refunds, form),
            ("GET", ["charges"]) => page(&self.charges, form),
            _ => error(404, json!({"type": "invalid_request_error", "code": "resource_missing"})),
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.names += 1;
        format!("{kind}_{}", self.names)
    }

    fn create(&mut self, form: &Form) -> Done {
        let amount: i64 = form["amount"].parse().expect("an amount");
        if amount < 50 {
            return refused("amount_too_small");
        }
        let name = self.name("pi");
        let intent = json!({"id": name, "object": "payment_intent", "amount": amount,
            "currency": form["currency"], "status": "requires_payment_method",
            "metadata": metadata(form), "last_payment_error": null, "next_action": null,
            "latest_charge": null});
        self.intents.insert(name.clone(), intent);
        self.show(&name)
    }

    /// The intent, with its newest charge.
    fn show(&self, name: &str) -> Done {
        let Some(intent) = self.intents.get(name) else {
            return error(
                404,
                json!({"type": "invalid_request_error", "code": "resource_missing"}),
            );
        };
        let mut intent = intent.clone();
        let charge = self.charges.iter().find(|charge| charge["id"] == intent["latest_charge"]);
        intent["latest_charge"] = charge.cloned().unwrap_or_default();
        (200, intent)
    }

    fn update(&mut self, name: &str, form: &Form) -> Done {
        if let Some(intent) = self.intents.get_mut(name) {
            for (key, value) in metadata(form) {
                intent["metadata"][key] = value;
            }
            intent["last_payment_error"] = Value::Null;
        }
        self.show(name)
    }

    fn confirm(&mut self, name: &str, form: &Form) -> Done {
        let Some(intent) = self.intents.get_mut(name) else { return self.show(name) };
        if ["succeeded", "canceled", "processing"].iter().any(|status| intent["status"] == *status)
        {
            return refused("payment_intent_unexpected_state");
        }
        let method = form["payment_method"].as_str();
        intent["payment_method"] = json!(method);
        let declined = |code: &str| json!({"type": "card_error", "code": "card_declined", "decline_code": code});
        match method {
            "pm_never_arrives" => self.show(name),
            "pm_card_visa" | "pm_card_refundFail" | "pm_card_pendingRefund" | "pm_answer_lost" => {
                self.capture(name);
                self.show(name)
            }
            "pm_card_authenticationRequired" => {
                let url = format!("https://hooks.stripe.com/redirect/authenticate/{name}");
                intent["status"] = json!("requires_action");
                intent["next_action"] = json!({"type": "redirect_to_url",
                    "redirect_to_url": {"url": url, "return_url": form["return_url"]}});
                self.show(name)
            }
            "pm_card_visa_chargeDeclinedInsufficientFunds" => {
                self.declined(name, declined("insufficient_funds"))
            }
            "pm_card_visa_chargeDeclinedStolenCard" => self.declined(name, declined("stolen_card")),
            _ => refused("resource_missing"),
        }
    }

    pub(super) fn capture(&mut self, name: &str) {
        let charge = self.name("ch");
        let Some(intent) = self.intents.get_mut(name) else { return };
        intent["status"] = json!("succeeded");
        (intent["next_action"], intent["latest_charge"]) = (Value::Null, json!(charge));
        self.charges.insert(
            0,
            json!({"id": charge, "object": "charge", "payment_intent": name, "captured": true,
                "amount": intent["amount"], "status": "succeeded", "refunded": false,
                "created": karcis_process::now().timestamp(),
                "payment_method": intent["payment_method"], "metadata": intent["metadata"]}),
        );
    }

    pub(super) fn declined(&mut self, name: &str, why: Value) -> Done {
        let charge = self.name("ch");
        if let Some(intent) = self.intents.get_mut(name) {
            intent["status"] = json!("requires_payment_method");
            intent["last_payment_error"] = why.clone();
            (intent["next_action"], intent["latest_charge"]) = (Value::Null, json!(charge));
            self.charges.insert(
                0,
                json!({"id": charge, "object": "charge", "payment_intent": name, "captured": false,
                    "amount": intent["amount"], "status": "failed", "refunded": false,
                    "created": karcis_process::now().timestamp(),
                    "payment_method": intent["payment_method"], "metadata": intent["metadata"]}),
            );
        }
        error(402, why)
    }

    fn cancel(&mut self, name: &str) -> Done {
        match self.intents.get_mut(name) {
            Some(intent)
                if intent["status"].as_str().is_some_and(|it| it.starts_with("requires_")) =>
            {
                intent["status"] = json!("canceled");
                self.show(name)
            }
            Some(_) => refused("payment_intent_unexpected_state"),
            None => self.show(name),
        }
    }

    fn refund(&mut self, form: &Form) -> Done {
        let intent = &form["payment_intent"];
        let of = |it: &&mut Value| it["payment_intent"] == **intent && it["status"] == "succeeded";
        let Some(charge) = self.charges.iter_mut().find(of) else {
            return refused("charge_not_captured");
        };
        if charge["refunded"] == true {
            return refused("charge_already_refunded");
        }
        let status = match self.intents[intent]["payment_method"].as_str() {
            Some("pm_card_pendingRefund") => "pending",
            Some("pm_card_refundFail") => "failed",
            _ => "succeeded",
        };
        charge["refunded"] = json!(status != "failed");
        let amount: i64 = form["amount"].parse().expect("an amount");
        let reason = (status == "failed").then_some("lost_or_stolen_card");
        let name = self.name("re");
        let refund = json!({"id": name, "object": "refund", "payment_intent": intent,
            "amount": amount, "status": status, "failure_reason": reason,
            "metadata": metadata(form)});
        self.refunds.insert(0, refund.clone());
        (200, refund)
    }
}

/// Whether this is a charge that never arrives.
fn is_lost(form: &Form) -> bool {
    form.get("payment_method").is_some_and(|method| method == "pm_never_arrives")
}

fn metadata(form: &Form) -> serde_json::Map<String, Value> {
    let name = |key: &str| Some(key.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned());
    form.iter().filter_map(|(key, value)| Some((name(key)?, json!(value)))).collect()
}

/// A page of the objects, of all intents or of one.
fn page(objects: &[Value], form: &Form) -> Done {
    let intent = form.get("payment_intent");
    let is_asked_for = |it: &&Value| intent.is_none_or(|intent| it["payment_intent"] == **intent);
    let own: Vec<&Value> = objects.iter().filter(is_asked_for).collect();
    let after = form.get("starting_after");
    let begin = after.and_then(|id| own.iter().position(|it| it["id"] == **id));
    let rest = &own[begin.map_or(0, |at| at + 1)..];
    let data = &rest[..rest.len().min(PAGE)];
    (200, json!({"object": "list", "has_more": rest.len() > PAGE, "data": data}))
}
