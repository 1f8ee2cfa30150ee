// Times QuantLib's Black functions over the rows of a table of options (kind,
// forward, strike, years, volatility, price) on standard input, and prints
// "NAME nanoseconds" an option, the least of several runs, after the floor:
// std::exp in the same process.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>
#include <vector>
#include <ql/errors.hpp>
#include <ql/pricingengines/blackcalculator.hpp>
#include <ql/pricingengines/blackformula.hpp>

using namespace QuantLib;

struct Row { Option::Type kind; double forward, strike, years, vol, price; };

static volatile double sink;

template <class F> void timed(const char* name, std::size_t rows, F each) {
	double least = std::numeric_limits<double>::infinity(), total = 0;
	for (int run = 0; run < 60 && total < 2e9; run++) {
		double sum = 0;
		auto start = std::chrono::steady_clock::now();
		for (std::size_t i = 0; i < rows; i++) sum += each(i);
		double took = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count();
		sink = sum;
		total += took;
		if (took < least) least = took;
	}
	std::printf("%s %.2f\n", name, least / rows);
}

int main() {
	std::vector<Row> rows;
	int sign;
	Row r;
	while (std::scanf("%d %lf %lf %lf %lf %lf", &sign, &r.forward, &r.strike, &r.years, &r.vol, &r.price) == 6) {
		r.kind = sign > 0 ? Option::Call : Option::Put;
		rows.push_back(r);
	}
	if (rows.empty()) return 1;
	std::vector<double> x(1024);
	for (std::size_t i = 0; i < x.size(); i++) x[i] = -20.0 * i / 1024;
	timed("Exp", 1000000, [&](std::size_t i) { return std::exp(x[i & 1023]); });
	timed("PriceBatch", rows.size(), [&](std::size_t i) {
		const Row& o = rows[i];
		return blackFormula(o.kind, o.strike, o.forward, o.vol * std::sqrt(o.years));
	});
	timed("GreeksBatch", rows.size(), [&](std::size_t i) {
		const Row& o = rows[i];
		BlackCalculator c(o.kind, o.strike, o.forward, o.vol * std::sqrt(o.years), 1.0);
		return c.value() + c.delta(o.forward) + c.gamma(o.forward) + c.theta(o.forward, o.years) + c.vega(o.years) + c.rho(o.years) + c.dividendRho(o.years) + c.strikeSensitivity();
	});
	timed("ImpliedVolBatch", rows.size(), [&](std::size_t i) {
		const Row& o = rows[i];
		try {
			return blackFormulaImpliedStdDev(o.kind, o.strike, o.forward, o.price, 1.0, 0.0, Null<Real>(), 1e-14, 1000);
		} catch (const Error&) {
			return 0.0;
		}
	});
	return 0;
}
