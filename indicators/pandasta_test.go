package indicators_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// pandas-ta is a second opinion for what the other libraries lack. Only the last
// hundred bars are compared: its averages start differently. It has other
// definitions of CHOP (highs and lows without the close before), EBSW, entropy,
// HILO, HWC, inertia, PGO, PSL, squeeze and SSF (no mean of two bars).
func TestBookDefinitionsAgreeWithPandasTA(t *testing.T) {
	f, err := os.Open(sharedtest.Path(t, "vectors", "pandas_ta", "spy502.jsonl.gz"))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	all := map[string][]any{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var record struct {
			Func string
			Out  map[string][]any
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &record))
		for name, values := range record.Out {
			all[record.Func+" "+name] = values
		}
	}
	require.NoError(t, lines.Err())
	s := readBars(t, "spy502.csv")
	for _, row := range []struct {
		column, name, output string
		params               p
		scale                float64
	}{
		{"cdl_z open_Z_30_1", "CandleZ", "Open", p{30}, 1},
		{"cdl_z close_Z_30_1", "CandleZ", "Close", p{30}, 1},
		{"increasing INC_1", "Increasing", "Increasing", nil, 1},
		{"decreasing DEC_1", "Increasing", "Decreasing", nil, 1},
		{"fwma FWMA_10", "FWMA", "FWMA", p{10}, 1},
		{"pwma PWMA_10", "PWMA", "PWMA", p{10}, 1},
		{"sinwma SINWMA_14", "SINWMA", "SINWMA", p{14}, 1},
		{"swma SWMA_10", "SWMA", "SWMA", p{10}, 1},
		{"jma JMA_7_0", "JMA", "JMA", p{7, 0}, 1},
		{"hwc HWM", "HWMA", "HWMA", nil, 1},
		{"rsx RSX_14", "RSX", "RSX", p{14}, 1},
		{"cti CTI_12", "CTI", "CTI", p{12}, 1},
		{"cg CG_10", "CG", "CG", p{10}, 1},
		{"cfo CFO_9", "CFO", "CFO", p{9}, 1},
		{"bias BIAS_SMA_26", "BIAS", "BIAS", p{26}, 1},
		{"brar AR_26", "BRAR", "AR", p{26}, 1},
		{"brar BR_26", "BRAR", "BR", p{26}, 1},
		{"kdj K_9_3", "KDJ", "K", p{9, 3}, 1},
		{"kdj D_9_3", "KDJ", "D", p{9, 3}, 1},
		{"coppock COPC_11_14_10", "Coppock", "Coppock", p{10, 14, 11}, 1},
		{"smi SMI_5_20_5", "SMIErgodic", "SMI", p{5, 20, 5}, 1},
		{"smi SMIs_5_20_5", "SMIErgodic", "Signal", p{5, 20, 5}, 1},
		{"qqe QQE_14_5_4.236_RSIMA", "QQE", "RSIMA", p{14, 5, 4.236}, 1},
		{"kurtosis KURT_30", "Kurtosis", "Kurtosis", p{30}, 1},
		{"skew SKEW_30", "Skew", "Skew", p{30}, 1},
		{"mad MAD_30", "MeanDeviation", "MAD", p{30}, 1},
		{"median MEDIAN_30", "Median", "Median", p{30}, 1},
		{"quantile QTL_30_0.5", "Quantile", "Quantile", p{30, 0.5}, 1},
		{"stdev STDEV_30", "StdDev", "SampleStdDev", p{30}, 1},
		{"thermo THERMO_20_2_0.5", "Thermo", "Thermo", nil, 1},
		{"thermo THERMOma_20_2_0.5", "Thermo", "EMA", nil, 1},
		{"pdist PDIST", "PDist", "PDist", nil, 1},
		{"pvr PVR", "PriceVolume", "PVR", nil, 1},
		{"pvol PVOL", "PriceVolume", "PVOL", nil, 1},
		{"accbands ACCBU_20", "AccelerationBands", "Upper", p{20, 4}, 1},
		{"accbands ACCBL_20", "AccelerationBands", "Lower", p{20, 4}, 1},
		{"aberration ABER_SG_5_15", "Aberration", "Upper", p{5, 15}, 1},
		{"ttm_trend TTM_TRND_6", "TTMTrend", "Trend", nil, 1},
		{"donchian DCU_20_20", "Donchian", "Upper", p{20, 0}, 1},
		{"vortex VTXP_14", "Vortex", "Plus", p{14}, 1},
		{"massi MASSI_9_25", "MassIndex", "Mass", p{25, 9}, 1},
		{"log_return LOGRET_1", "Returns", "LogReturn", p{1}, 1},
		{"rvi RVI_14", "RVI", "RVI", p{14, 14}, 1},
		{"rvgi RVGI_14_4", "RVGI", "RVGI", p{14}, 1},
		{"cksp CKSPl_10_3_20", "ChandeKroll", "Short", p{10, 3, 20}, 1},
		{"cksp CKSPs_10_3_20", "ChandeKroll", "Long", p{10, 3, 20}, 1},
		{"zlma ZL_EMA_10", "ZLEMA", "ZLEMA", p{10}, 1},
		{"vidya VIDYA_14", "VIDYA", "VIDYA", p{14}, 1},
	} {
		t.Run(row.column, func(t *testing.T) {
			got := compute(t, s, row.name, row.output, row.params...)
			require.Len(t, all[row.column], len(got))
			for i := len(got) - 100; i < len(got); i++ {
				if want, ok := all[row.column][i].(float64); ok {
					require.InDelta(t, want, got[i]*row.scale, 1e-6*max(1, math.Abs(want)), "bar %d", i)
				}
			}
		})
	}
}
