//! What e-mails say in Indonesian.

use chrono::{DateTime, Datelike, Timelike};
use chrono_tz::{OffsetName, Tz};
use karcis_kernel::{Currency, Money};

use super::{Label, Words, digits};
use crate::domain::{AccountMailKind, NotificationKind};

const DAYS: [&str; 7] = ["Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"];
const MONTHS: [&str; 12] = [
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
];
/// What the zones of Indonesia are called there.
const ZONES: [&str; 3] = ["WIB", "WITA", "WIT"];

pub(super) struct Indonesian;

impl Words for Indonesian {
    fn tag(&self) -> &'static str {
        "id"
    }

    fn hello(&self, name: Option<&str>) -> String {
        match name {
            Some(name) => format!("Halo {name},"),
            None => "Halo,".to_owned(),
        }
    }

    fn time(&self, at: &DateTime<Tz>) -> String {
        let zone = match at.offset().abbreviation() {
            Some(zone) if ZONES.contains(&zone) => zone.to_owned(),
            _ => format!("({})", at.timezone().name()),
        };
        let day = DAYS[at.weekday().num_days_from_monday() as usize];
        let month = MONTHS[at.month0() as usize];
        let (date, year, hour, minute) = (at.day(), at.year(), at.hour(), at.minute());
        format!("{day}, {date} {month} {year}, {hour:02}.{minute:02} {zone}")
    }

    fn money(&self, money: Money) -> String {
        let digits = digits(money, '.', ',');
        match money.currency {
            Currency::Idr => format!("Rp {digits}"),
            currency => format!("{currency} {digits}"),
        }
    }

    fn label(&self, label: Label) -> &'static str {
        match label {
            Label::Event => "Acara",
            Label::Date => "Waktu",
            Label::Venue => "Tempat",
            Label::Tickets => "Tiket",
            Label::Total => "Total",
            Label::Booking => "Nomor pemesanan Anda",
        }
    }

    fn when_booked(&self, label: Label) -> String {
        format!("{} saat Anda memesan", self.label(label))
    }

    fn now(&self, label: Label) -> String {
        format!("{} sekarang", self.label(label))
    }

    fn see_booking(&self) -> &'static str {
        "lihat pemesanan Anda"
    }

    fn ticket(&self) -> &'static str {
        "tiket"
    }

    fn subject(&self, kind: &NotificationKind) -> &'static str {
        match kind {
            NotificationKind::Reserved { .. } => "Tiket Anda sudah disisihkan",
            NotificationKind::Confirmed { .. } => "Tiket Anda",
            NotificationKind::EventChanged { .. } => "Acara Anda berubah",
            NotificationKind::Rejected { .. } => "Kali ini tidak ada tiket",
            NotificationKind::Cancelled { .. } => "Pemesanan Anda dibatalkan",
        }
    }

    fn as_agreed_subject(&self) -> &'static str {
        "Acara Anda berlangsung seperti diumumkan"
    }

    fn reserved(&self, total: &str, pay_by: &str) -> String {
        format!(
            "tiket Anda sudah disisihkan: buka pemesanan Anda dan bayar {total} paling lambat {pay_by}. \
             Tiket yang tidak dibayar tepat waktu dijual kembali, dan Anda tidak dikenai biaya apa pun."
        )
    }

    fn confirmed(&self) -> &'static str {
        "pemesanan Anda sudah pasti: tiket itu milik Anda."
    }

    fn show_codes(&self) -> &'static str {
        "Langkah berikutnya: buka pemesanan Anda untuk melihat tiket, dan tunjukkan kode setiap tiket di \
         pintu masuk. Siapa pun yang tahu kodenya dapat memakainya, jadi simpanlah sendiri."
    }

    fn show_these_codes(&self) -> &'static str {
        "Langkah berikutnya: tunjukkan kode setiap tiket di pintu masuk. Siapa pun yang tahu kodenya dapat \
         memakainya, jadi simpanlah e-mail ini sendiri."
    }

    fn event_changed(&self) -> &'static str {
        "acara yang Anda pesan tidak lagi seperti saat Anda memesan."
    }

    fn as_agreed(&self) -> &'static str {
        "acara yang Anda pesan berlangsung seperti yang diumumkan saat Anda memesan."
    }

    fn refundable_until(&self, time: &str) -> String {
        format!(
            "Pemesanan Anda tetap berlaku. Jika Anda tidak dapat datang, batalkan paling lambat {time}, dan \
             semua uang yang Anda bayarkan akan dikembalikan."
        )
    }

    fn cancellable_until(&self, time: &str) -> String {
        format!(
            "Pemesanan Anda tetap berlaku. Jika Anda tidak dapat datang, Anda boleh membatalkannya paling \
             lambat {time}."
        )
    }

    fn rejected(&self, reason: &str) -> String {
        format!("tiket Anda tidak dapat dipesan: {reason}.")
    }

    fn look_again(&self) -> &'static str {
        "Anda tidak dikenai biaya apa pun. Langkah berikutnya: lihat lagi acaranya, mungkin masih ada tiket \
         lain untuk Anda."
    }

    fn cancelled(&self, reason: &str) -> String {
        format!("pemesanan Anda dibatalkan: {reason}.")
    }

    fn organiser_says(&self, text: &str) -> String {
        format!("Kata penyelenggara: “{text}”")
    }

    fn refunded(&self, money: &str) -> String {
        format!(
            "{money} dikembalikan melalui jalur yang sama; bank Anda mungkin memerlukan beberapa hari. Anda \
             tidak perlu melakukan apa pun."
        )
    }

    fn not_charged(&self) -> &'static str {
        "Anda tidak dikenai biaya apa pun."
    }

    fn refunded_if_charged(&self) -> &'static str {
        "Jika ada uang yang sudah ditarik, semuanya dikembalikan melalui jalur yang sama; bank Anda mungkin \
         memerlukan beberapa hari. Anda tidak perlu melakukan apa pun."
    }

    fn reason(&self, word: &str) -> &'static str {
        match word {
            "sold_out" => "tiketnya sudah habis",
            "sales_closed" => "tiketnya sedang tidak dijual",
            "event_not_found" => "acaranya tidak dijual lagi",
            "event_cancelled" => "acaranya tidak jadi berlangsung",
            "price_changed" => "harganya berubah sejak Anda melihatnya",
            "over_limit" => "satu pemesanan tidak boleh sebanyak itu",
            "too_many_holds" => "Anda punya pemesanan lain untuk acara ini yang belum dibayar",
            "payment_failed" => "pembayarannya gagal",
            "payment_expired" => "tidak dibayar tepat waktu",
            "cancelled_by_buyer" => "seperti yang Anda minta",
            "hold_lost" => "tempatnya tidak dapat dipertahankan",
            _ => "tidak dapat diselesaikan",
        }
    }

    fn open_booking(&self) -> &'static str {
        "Buka pemesanan Anda"
    }

    fn confirm_address(&self) -> &'static str {
        "Pastikan alamat ini"
    }

    fn choose_password(&self) -> &'static str {
        "Pilih kata sandi baru"
    }

    fn find_event(&self) -> &'static str {
        "Cari acara"
    }

    fn account_subject(&self, kind: AccountMailKind) -> &'static str {
        match kind {
            AccountMailKind::VerifyEmail => "Apakah ini alamat Anda?",
            AccountMailKind::ResetPassword => "Kata sandi baru",
            AccountMailKind::AddressChanged => "Akun Anda memakai alamat lain",
            AccountMailKind::Welcome => "Selamat datang di Karcis",
        }
    }

    fn verify_email(&self, token: &str) -> String {
        format!(
            "seseorang, semoga Anda sendiri, memberikan alamat ini kepada Karcis. Untuk menunjukkan bahwa \
             alamat ini milik Anda, masukkan kode ini dalam waktu 24 jam:\n\n{token}\n\nJika itu bukan Anda, \
             Anda tidak perlu melakukan apa pun."
        )
    }

    fn reset_password(&self, token: &str) -> String {
        format!(
            "seseorang, semoga Anda sendiri, ingin memilih kata sandi baru untuk akun Anda. Untuk itu, \
             masukkan kode ini dalam waktu 30 menit:\n\n{token}\n\nJika itu bukan Anda, Anda tidak perlu \
             melakukan apa pun: tanpa kode ini tidak ada yang dapat mengubahnya. Jangan berikan kode ini \
             kepada siapa pun."
        )
    }

    fn address_changed(&self) -> &'static str {
        "akun yang memakai alamat e-mail ini sekarang memakai alamat lain, dan semua orang lain yang sedang \
         masuk ke akun itu dikeluarkan. Jika itu bukan Anda, ada yang tahu kata sandi Anda: segera balas \
         e-mail ini."
    }

    fn welcome(&self) -> &'static str {
        "alamat ini sudah dipastikan: tiket Anda dikirim ke sini, dengan kode untuk masuk, begitu juga setiap \
         perubahannya.\n\nSetiap pemesanan Anda punya halaman yang menunjukkan keadaannya, berapa uang yang \
         kembali jika dibatalkan, dan tiketnya, juga tanpa jaringan."
    }
}
