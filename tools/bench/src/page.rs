//! A run as a page: plots and the printed table in one file, without a script.

use std::{collections::BTreeSet, io, ops::Range};

use plotters::{
    coord::{
        Shift,
        ranged1d::{AsRangedCoord, ValueFormatter},
    },
    prelude::*,
};

use crate::{
    BenchError, Report,
    report::{Load, Percentiles},
};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;
type Line = Vec<(f64, f64)>;

const SIZE: (u32, u32) = (640, 300);
/// Of one bar with its name above.
const BAR_HEIGHT: u32 = 52;
/// Font and size of texts.
const LABEL: (&str, u32) = ("sans-serif", 17);
const AXIS: RGBColor = RGBColor(128, 128, 128);
/// Of lines and parts of bars in turn; each can be told from white and from black.
const COLOURS: [RGBColor; 8] = [
    RGBColor(59, 130, 246),
    RGBColor(234, 120, 20),
    RGBColor(22, 163, 74),
    RGBColor(192, 80, 200),
    RGBColor(220, 60, 60),
    RGBColor(10, 165, 180),
    RGBColor(160, 130, 40),
    RGBColor(130, 130, 150),
];
/// Has the texts of plots take the colour of the page's: their own would be lost on a dark page.
const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>karcis bench</title>
<style>
:root { color-scheme: light dark; --quiet: #5b6270; --line: #d5d8de; }
@media (prefers-color-scheme: dark) { :root { --quiet: #a3aab8; --line: #3a3f4a; } }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 84rem; margin: 0 auto; padding: 1rem 1.5rem 3rem; }
h2 { margin: 2.5rem 0 0; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 1.25rem; }
h2::first-letter { text-transform: uppercase; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(30rem, 100%), 1fr)); }
.plots { gap: 0 2rem; align-items: end; }
figure { margin: 1rem 0 0; }
figcaption div { color: var(--quiet); font-size: .8125rem; }
figcaption span { margin-right: .75rem; white-space: nowrap; }
figcaption i { display: inline-block; width: .75em; height: .75em; margin-right: .375em; border-radius: 2px; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: currentColor; }
pre { overflow-x: auto; font-size: .8125rem; }
</style>
<h1>What a second sells, and what it costs</h1>
"#;

impl Report {
    /// A page of HTML that needs no other file.
    ///
    /// # Errors
    /// A plot cannot be drawn.
    pub fn page(&self) -> Result<String, BenchError> {
        let idle = &self.idle;
        let idle = latency(&[
            ("create → awaiting payment", &idle.created),
            ("pay → confirmed", &idle.confirmed),
        ])?;
        let mut page = format!("{HEAD}{}", section("one buyer after the other", &idle));
        let loads: Vec<&Load> =
            self.loads.iter().chain(self.grown.iter().map(|grown| &grown.load)).collect();
        for load in &loads {
            let plots = throughput(load)?
                + &latency(&[
                    ("create → awaiting payment", &load.created),
                    ("pay, as HTTP answers", &load.paid),
                    ("pay → confirmed", &load.confirmed),
                ])?;
            page += &section(&load.name, &plots);
        }
        page += &section("what a booking costs", &costs(&loads)?);
        let reads: Vec<_> = self.reads.iter().map(|reads| (reads.path, &reads.took)).collect();
        page += &section("reads", &latency(&reads)?);
        Ok(page + &format!("<h2>all figures</h2>\n<pre>{}</pre>\n", escaped(&self.to_string())))
    }
}

fn section(title: &str, plots: &str) -> String {
    format!("<h2>{}</h2>\n<div class=\"plots\">\n{plots}</div>\n", escaped(title))
}

/// A plot below its title and what its colours mean.
fn figure(title: &str, names: &[&str], svg: &str) -> String {
    let legend = names.iter().zip(COLOURS.iter().cycle()).map(|(name, RGBColor(r, g, b))| {
        format!("<span><i style=\"background: rgb({r}, {g}, {b})\"></i>{}</span> ", escaped(name))
    });
    let legend: String = legend.collect();
    format!("<figure><figcaption>{title}<div>{legend}</div></figcaption>\n{svg}</figure>\n")
}

fn throughput(load: &Load) -> Result<String, BenchError> {
    let each = load.throughput.iter().enumerate();
    // A second is as wide as it is long.
    let line = each.flat_map(|(second, count)| {
        [second, second + 1].map(|second| (second as f64, *count as f64))
    });
    let most = load.throughput.iter().max().copied().unwrap_or_default().max(1);
    let seconds = 0.0..load.throughput.len().max(1) as f64;
    let svg = lines(seconds, 0.0..1.1 * most as f64, ["second", "confirmed"], &[line.collect()])?;
    Ok(figure("Confirmed in each second", &[], &svg))
}

/// How long it took as many percent of all, by name.
fn latency(times: &[(&str, &Percentiles)]) -> Result<String, BenchError> {
    let line = |all: &Vec<f64>| all.iter().enumerate().map(|(at, ms)| (at as f64, *ms)).collect();
    let curves: Vec<Line> = times.iter().map(|(_, times)| line(&times.all)).collect();
    let names: Vec<&str> = times.iter().map(|(name, _)| *name).collect();
    let all = curves.iter().flatten().map(|(_, ms)| *ms);
    let ms = decades(all).log_scale();
    let svg = lines(0.0..100.0, ms, ["percent of all", "ms at most"], &curves)?;
    Ok(figure("How long it took", &names, &svg))
}

/// Whole powers of ten around all of these, from a tenth on.
fn decades(all: impl Iterator<Item = f64>) -> Range<f64> {
    let (least, most) =
        all.fold((f64::MAX, 0.1_f64), |(least, most), ms| (least.min(ms), most.max(ms)));
    let from = least.clamp(0.1, most).log10().floor();
    10_f64.powf(from)..10_f64.powf(most.log10().ceil().max(from + 1.0))
}

fn lines<Y>(
    x: Range<f64>,
    y: Y,
    [x_name, y_name]: [&str; 2],
    lines: &[Line],
) -> Result<String, BenchError>
where
    Y: AsRangedCoord<Value = f64>,
    Y::CoordDescType: ValueFormatter<f64>,
{
    svg(SIZE, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(64)
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_desc(x_name)
            .y_desc(y_name)
            .axis_style(AXIS)
            .bold_line_style(AXIS.mix(0.3))
            .light_line_style(TRANSPARENT)
            .label_style(LABEL)
            .x_label_formatter(&number)
            .y_label_formatter(&number)
            .draw()?;
        for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            chart.draw_series(LineSeries::new(line.iter().copied(), colour.stroke_width(2)))?;
        }
        Ok(())
    })
}

/// Processor time of a booking by process, a bar for each load.
fn costs(loads: &[&Load]) -> Result<String, BenchError> {
    let names: BTreeSet<&str> =
        loads.iter().flat_map(|load| load.cpu_ms.keys().map(String::as_str)).collect();
    let total = |load: &Load| load.cpu_ms.values().sum::<f64>();
    // The total stands behind its bar.
    let most = 1.15 * loads.iter().map(|load| total(load)).fold(0.1, f64::max);
    let height = 60 + BAR_HEIGHT * loads.len() as u32;
    let svg = svg((SIZE.0, height), |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(12)
            .x_label_area_size(40)
            .build_cartesian_2d(0.0..most, loads.len() as f64..0.0)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_desc("ms")
            .axis_style(AXIS)
            .bold_line_style(AXIS.mix(0.3))
            .light_line_style(TRANSPARENT)
            .label_style(LABEL)
            .x_label_formatter(&number)
            .draw()?;
        for (place, load) in loads.iter().enumerate() {
            let at = |part: f64| place as f64 + part;
            let mut from = 0.0;
            for (name, colour) in names.iter().zip(COLOURS.iter().cycle()) {
                let to = from + load.cpu_ms.get(*name).copied().unwrap_or_default();
                let part = Rectangle::new([(from, at(0.45)), (to, at(0.9))], colour.filled());
                chart.draw_series([part])?;
                from = to;
            }
            let text = |text: String, to| Text::new(text, to, LABEL);
            let name = text(load.name.clone(), (0.0, at(0.12)));
            chart
                .draw_series([name, text(format!("{from:.2}"), (from + most / 100.0, at(0.57)))])?;
        }
        Ok(())
    })?;
    let names: Vec<&str> = names.into_iter().collect();
    Ok(figure("Processor time of a booking", &names, &svg))
}

fn svg(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, BenchError> {
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
    let drawn = draw(&area).and_then(|()| area.present());
    drop(area);
    drawn.map(|()| svg).map_err(|error| BenchError::Page(error.to_string()))
}

/// Without the digits that come from reckoning in binary.
fn number(value: &f64) -> String {
    format!("{}", (value * 100.0).round() / 100.0)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        postgres::Written,
        report::{Grown, Idle, Reads},
        stadium::Stadium,
    };

    fn times(ms: u64) -> Percentiles {
        let spread =
            (0..200).map(|place: u64| Duration::from_micros(ms * (600 + place * place / 20)));
        Percentiles::of(spread.collect())
    }

    fn load(name: &str, per_s: i64) -> Load {
        let processes = [
            ("booking-service", 0.91),
            ("event-service", 0.33),
            ("kafka", 1.77),
            ("payment-service", 0.61),
            ("postgres", 3.18),
            ("user-service", 0.33),
            ("web", 0.0),
        ];
        Load {
            name: name.to_owned(),
            confirmed_per_s: per_s as f64,
            throughput: (0..60).map(|second| per_s + 40 * (second * 7 % 5 - 2)).collect(),
            created: times(800),
            paid: times(180),
            confirmed: times(650),
            cpu_ms: processes.map(|(name, ms)| (name.to_owned(), ms)).into(),
            peak_mib: [("kafka".to_owned(), 239)].into(),
            bookings: 100,
            written: Written::default(),
            scans: [].into(),
        }
    }

    fn report(loads: Vec<Load>) -> Report {
        let reads = |path, ms| Reads {
            path,
            bytes: 696,
            per_s: 10_342.0,
            bare_per_s: 20_113.0,
            took: times(ms),
        };
        Report {
            cores: 2,
            disturbed: 0.03,
            idle: Idle { created: times(44), confirmed: times(29) },
            loads,
            reads: vec![reads("/events", 8), reads("/bookings/{booking_id}", 12)],
            floor: Some(1_000.0),
            grown: Some(Grown::of(1_000_000, &load("small", 260), load("grown", 250))),
            stadium: Some(Stadium { reservations: 5_000, per_s: 9_136.0 }),
        }
    }

    #[test]
    fn every_load_has_its_plots_and_the_table_is_there() {
        let report = report(vec![
            load("one hot event, 256 buyers", 260),
            load("200 events, 256 buyers", 229),
            load("one hot event, 500 bookings a second offered", 310),
        ]);
        let page = report.page().expect("it can be drawn");
        // Two for each load, the grown one too; idle, costs and reads have one each.
        assert_eq!(page.matches("<svg").count(), 2 * 4 + 3);
        assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
        assert!(page.contains("<h2>one hot event, 500 bookings a second offered</h2>"));
        assert!(page.contains("5000 waiting reservations of one event"));
        assert!(!page.contains("<script"));
    }

    #[test]
    fn a_load_without_a_booking_can_be_drawn() {
        let none = Load {
            throughput: vec![0],
            created: Percentiles::default(),
            cpu_ms: [].into(),
            ..load("a < b & c", 0)
        };
        let page = report(vec![none]).page().expect("it can be drawn");
        assert!(page.contains("<h2>a &lt; b &amp; c</h2>"));
        assert!(!page.contains("a < b"));
        assert!(report(vec![]).page().is_ok());
    }

    #[test]
    fn an_axis_has_whole_decades() {
        assert_eq!(decades([3.0, 240.0].into_iter()), 1.0..1_000.0);
        assert_eq!(decades([10.0, 10.0].into_iter()), 10.0..100.0);
        assert_eq!(decades([0.0].into_iter()), 0.1..1.0);
        assert_eq!(decades([].into_iter()), 0.1..1.0);
    }
}
