// Times TA-Lib's functions over the same number of bars as our benchmarks and
// prints "NAME nanoseconds" a bar, the least of several runs, after the floor:
// one dependent multiply-add a bar in the same process.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "ta_libc.h"

enum { BARS = 100000, RUNS = 25 };

static double open_[BARS], high[BARS], low[BARS], close_[BARS], a[BARS], b[BARS], c[BARS];
static volatile double sink;

static double now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

#define TIME(name, call)                                                    \
	do {                                                                \
		double least = INFINITY;                                    \
		for (int run = 0; run < RUNS; run++) {                      \
			double start = now();                               \
			call;                                               \
			double took = now() - start;                        \
			if (took < least) least = took;                     \
		}                                                           \
		sink = a[BARS / 2];                                         \
		printf("%s %.3f\n", name, least / BARS);                    \
	} while (0)

static void floor_(void) {
	double m = 0;
	for (int i = 0; i < BARS; i++) {
		m = m * 0.9 + close_[i];
		a[i] = m;
	}
}

int main(void) {
	unsigned state = 1;
	double price = 100;
	for (int i = 0; i < BARS; i++) {
		state = state * 1664525u + 1013904223u;
		open_[i] = price;
		price *= 1 + 0.02 * (state / 4294967296.0 - 0.5);
		close_[i] = price;
		high[i] = fmax(open_[i], price) * 1.003;
		low[i] = fmin(open_[i], price) * 0.997;
	}
	if (TA_Initialize() != TA_SUCCESS) return 1;
	int from, count, last = BARS - 1;
	TIME("Floor", floor_());
	TIME("SMA", TA_SMA(0, last, close_, 20, &from, &count, a));
	TIME("EMA", TA_EMA(0, last, close_, 20, &from, &count, a));
	TIME("RSI", TA_RSI(0, last, close_, 14, &from, &count, a));
	TIME("MACD", TA_MACD(0, last, close_, 12, 26, 9, &from, &count, a, b, c));
	TIME("Bollinger", TA_BBANDS(0, last, close_, 20, 2, 2, TA_MAType_SMA, &from, &count, a, b, c));
	TIME("ATR", TA_ATR(0, last, high, low, close_, 14, &from, &count, a));
	TIME("ADX", TA_ADX(0, last, high, low, close_, 14, &from, &count, a));
	TA_Shutdown();
	return 0;
}
