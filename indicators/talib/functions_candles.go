package talib

// CDL2CROWS computes talib:CDL2CROWS. Candlestick pattern: Two crows; 100 up, -100 down, 0 for none.
func CDL2CROWS(dst, open, high, low, close []float64) []float64 {
	return call1("CDL2CROWS", dst, [][]float64{open, high, low, close})
}

// CDL3BLACKCROWS computes talib:CDL3BLACKCROWS. Candlestick pattern: Three black crows; 100 up, -100 down, 0 for none.
func CDL3BLACKCROWS(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3BLACKCROWS", dst, [][]float64{open, high, low, close})
}

// CDL3INSIDE computes talib:CDL3INSIDE. Candlestick pattern: Three inside up or down; 100 up, -100 down, 0 for none.
func CDL3INSIDE(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3INSIDE", dst, [][]float64{open, high, low, close})
}

// CDL3LINESTRIKE computes talib:CDL3LINESTRIKE. Candlestick pattern: Three-line strike; 100 up, -100 down, 0 for none.
func CDL3LINESTRIKE(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3LINESTRIKE", dst, [][]float64{open, high, low, close})
}

// CDL3OUTSIDE computes talib:CDL3OUTSIDE. Candlestick pattern: Three outside up or down; 100 up, -100 down, 0 for none.
func CDL3OUTSIDE(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3OUTSIDE", dst, [][]float64{open, high, low, close})
}

// CDL3STARSINSOUTH computes talib:CDL3STARSINSOUTH. Candlestick pattern: Three stars in the south; 100 up, -100 down, 0 for none.
func CDL3STARSINSOUTH(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3STARSINSOUTH", dst, [][]float64{open, high, low, close})
}

// CDL3WHITESOLDIERS computes talib:CDL3WHITESOLDIERS. Candlestick pattern: Three white soldiers; 100 up, -100 down, 0 for none.
func CDL3WHITESOLDIERS(dst, open, high, low, close []float64) []float64 {
	return call1("CDL3WHITESOLDIERS", dst, [][]float64{open, high, low, close})
}

// CDLABANDONEDBABY computes talib:CDLABANDONEDBABY. Candlestick pattern: Abandoned baby; 100 up, -100 down, 0 for none.
func CDLABANDONEDBABY(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLABANDONEDBABY", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLADVANCEBLOCK computes talib:CDLADVANCEBLOCK. Candlestick pattern: Advance block; 100 up, -100 down, 0 for none.
func CDLADVANCEBLOCK(dst, open, high, low, close []float64) []float64 {
	return call1("CDLADVANCEBLOCK", dst, [][]float64{open, high, low, close})
}

// CDLBELTHOLD computes talib:CDLBELTHOLD. Candlestick pattern: Belt-hold; 100 up, -100 down, 0 for none.
func CDLBELTHOLD(dst, open, high, low, close []float64) []float64 {
	return call1("CDLBELTHOLD", dst, [][]float64{open, high, low, close})
}

// CDLBREAKAWAY computes talib:CDLBREAKAWAY. Candlestick pattern: Breakaway; 100 up, -100 down, 0 for none.
func CDLBREAKAWAY(dst, open, high, low, close []float64) []float64 {
	return call1("CDLBREAKAWAY", dst, [][]float64{open, high, low, close})
}

// CDLCLOSINGMARUBOZU computes talib:CDLCLOSINGMARUBOZU. Candlestick pattern: Closing marubozu; 100 up, -100 down, 0 for none.
func CDLCLOSINGMARUBOZU(dst, open, high, low, close []float64) []float64 {
	return call1("CDLCLOSINGMARUBOZU", dst, [][]float64{open, high, low, close})
}

// CDLCONCEALBABYSWALL computes talib:CDLCONCEALBABYSWALL. Candlestick pattern: Concealing baby swallow; 100 up, -100 down, 0 for none.
func CDLCONCEALBABYSWALL(dst, open, high, low, close []float64) []float64 {
	return call1("CDLCONCEALBABYSWALL", dst, [][]float64{open, high, low, close})
}

// CDLCOUNTERATTACK computes talib:CDLCOUNTERATTACK. Candlestick pattern: Counterattack; 100 up, -100 down, 0 for none.
func CDLCOUNTERATTACK(dst, open, high, low, close []float64) []float64 {
	return call1("CDLCOUNTERATTACK", dst, [][]float64{open, high, low, close})
}

// CDLDARKCLOUDCOVER computes talib:CDLDARKCLOUDCOVER. Candlestick pattern: Dark cloud cover; 100 up, -100 down, 0 for none.
func CDLDARKCLOUDCOVER(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLDARKCLOUDCOVER", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLDOJI computes talib:CDLDOJI. Candlestick pattern: Doji; 100 up, -100 down, 0 for none.
func CDLDOJI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLDOJI", dst, [][]float64{open, high, low, close})
}

// CDLDOJISTAR computes talib:CDLDOJISTAR. Candlestick pattern: Doji star; 100 up, -100 down, 0 for none.
func CDLDOJISTAR(dst, open, high, low, close []float64) []float64 {
	return call1("CDLDOJISTAR", dst, [][]float64{open, high, low, close})
}

// CDLDRAGONFLYDOJI computes talib:CDLDRAGONFLYDOJI. Candlestick pattern: Dragonfly doji; 100 up, -100 down, 0 for none.
func CDLDRAGONFLYDOJI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLDRAGONFLYDOJI", dst, [][]float64{open, high, low, close})
}

// CDLENGULFING computes talib:CDLENGULFING. Candlestick pattern: Engulfing; 100 up, -100 down, 0 for none.
func CDLENGULFING(dst, open, high, low, close []float64) []float64 {
	return call1("CDLENGULFING", dst, [][]float64{open, high, low, close})
}

// CDLEVENINGDOJISTAR computes talib:CDLEVENINGDOJISTAR. Candlestick pattern: Evening doji star; 100 up, -100 down, 0 for none.
func CDLEVENINGDOJISTAR(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLEVENINGDOJISTAR", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLEVENINGSTAR computes talib:CDLEVENINGSTAR. Candlestick pattern: Evening star; 100 up, -100 down, 0 for none.
func CDLEVENINGSTAR(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLEVENINGSTAR", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLGAPSIDESIDEWHITE computes talib:CDLGAPSIDESIDEWHITE. Candlestick pattern: Side-by-side white lines after a gap; 100 up, -100 down, 0 for none.
func CDLGAPSIDESIDEWHITE(dst, open, high, low, close []float64) []float64 {
	return call1("CDLGAPSIDESIDEWHITE", dst, [][]float64{open, high, low, close})
}

// CDLGRAVESTONEDOJI computes talib:CDLGRAVESTONEDOJI. Candlestick pattern: Gravestone doji; 100 up, -100 down, 0 for none.
func CDLGRAVESTONEDOJI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLGRAVESTONEDOJI", dst, [][]float64{open, high, low, close})
}

// CDLHAMMER computes talib:CDLHAMMER. Candlestick pattern: Hammer; 100 up, -100 down, 0 for none.
func CDLHAMMER(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHAMMER", dst, [][]float64{open, high, low, close})
}

// CDLHANGINGMAN computes talib:CDLHANGINGMAN. Candlestick pattern: Hanging man; 100 up, -100 down, 0 for none.
func CDLHANGINGMAN(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHANGINGMAN", dst, [][]float64{open, high, low, close})
}

// CDLHARAMI computes talib:CDLHARAMI. Candlestick pattern: Harami; 100 up, -100 down, 0 for none.
func CDLHARAMI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHARAMI", dst, [][]float64{open, high, low, close})
}

// CDLHARAMICROSS computes talib:CDLHARAMICROSS. Candlestick pattern: Harami cross; 100 up, -100 down, 0 for none.
func CDLHARAMICROSS(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHARAMICROSS", dst, [][]float64{open, high, low, close})
}

// CDLHIGHWAVE computes talib:CDLHIGHWAVE. Candlestick pattern: High wave; 100 up, -100 down, 0 for none.
func CDLHIGHWAVE(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHIGHWAVE", dst, [][]float64{open, high, low, close})
}

// CDLHIKKAKE computes talib:CDLHIKKAKE. Candlestick pattern: Hikkake; 100 up, -100 down, 0 for none.
func CDLHIKKAKE(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHIKKAKE", dst, [][]float64{open, high, low, close})
}

// CDLHIKKAKEMOD computes talib:CDLHIKKAKEMOD. Candlestick pattern: Modified Hikkake; 100 up, -100 down, 0 for none.
func CDLHIKKAKEMOD(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHIKKAKEMOD", dst, [][]float64{open, high, low, close})
}

// CDLHOMINGPIGEON computes talib:CDLHOMINGPIGEON. Candlestick pattern: Homing pigeon; 100 up, -100 down, 0 for none.
func CDLHOMINGPIGEON(dst, open, high, low, close []float64) []float64 {
	return call1("CDLHOMINGPIGEON", dst, [][]float64{open, high, low, close})
}

// CDLIDENTICAL3CROWS computes talib:CDLIDENTICAL3CROWS. Candlestick pattern: Identical three crows; 100 up, -100 down, 0 for none.
func CDLIDENTICAL3CROWS(dst, open, high, low, close []float64) []float64 {
	return call1("CDLIDENTICAL3CROWS", dst, [][]float64{open, high, low, close})
}

// CDLINNECK computes talib:CDLINNECK. Candlestick pattern: In-neck; 100 up, -100 down, 0 for none.
func CDLINNECK(dst, open, high, low, close []float64) []float64 {
	return call1("CDLINNECK", dst, [][]float64{open, high, low, close})
}

// CDLINVERTEDHAMMER computes talib:CDLINVERTEDHAMMER. Candlestick pattern: Inverted hammer; 100 up, -100 down, 0 for none.
func CDLINVERTEDHAMMER(dst, open, high, low, close []float64) []float64 {
	return call1("CDLINVERTEDHAMMER", dst, [][]float64{open, high, low, close})
}

// CDLKICKING computes talib:CDLKICKING. Candlestick pattern: Kicking; 100 up, -100 down, 0 for none.
func CDLKICKING(dst, open, high, low, close []float64) []float64 {
	return call1("CDLKICKING", dst, [][]float64{open, high, low, close})
}

// CDLKICKINGBYLENGTH computes talib:CDLKICKINGBYLENGTH. Candlestick pattern: Kicking, by the longer marubozu; 100 up, -100 down, 0 for none.
func CDLKICKINGBYLENGTH(dst, open, high, low, close []float64) []float64 {
	return call1("CDLKICKINGBYLENGTH", dst, [][]float64{open, high, low, close})
}

// CDLLADDERBOTTOM computes talib:CDLLADDERBOTTOM. Candlestick pattern: Ladder bottom; 100 up, -100 down, 0 for none.
func CDLLADDERBOTTOM(dst, open, high, low, close []float64) []float64 {
	return call1("CDLLADDERBOTTOM", dst, [][]float64{open, high, low, close})
}

// CDLLONGLEGGEDDOJI computes talib:CDLLONGLEGGEDDOJI. Candlestick pattern: Long-legged doji; 100 up, -100 down, 0 for none.
func CDLLONGLEGGEDDOJI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLLONGLEGGEDDOJI", dst, [][]float64{open, high, low, close})
}

// CDLLONGLINE computes talib:CDLLONGLINE. Candlestick pattern: Long line; 100 up, -100 down, 0 for none.
func CDLLONGLINE(dst, open, high, low, close []float64) []float64 {
	return call1("CDLLONGLINE", dst, [][]float64{open, high, low, close})
}

// CDLMARUBOZU computes talib:CDLMARUBOZU. Candlestick pattern: Marubozu; 100 up, -100 down, 0 for none.
func CDLMARUBOZU(dst, open, high, low, close []float64) []float64 {
	return call1("CDLMARUBOZU", dst, [][]float64{open, high, low, close})
}

// CDLMATCHINGLOW computes talib:CDLMATCHINGLOW. Candlestick pattern: Matching low; 100 up, -100 down, 0 for none.
func CDLMATCHINGLOW(dst, open, high, low, close []float64) []float64 {
	return call1("CDLMATCHINGLOW", dst, [][]float64{open, high, low, close})
}

// CDLMATHOLD computes talib:CDLMATHOLD. Candlestick pattern: Mat hold; 100 up, -100 down, 0 for none.
func CDLMATHOLD(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLMATHOLD", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLMORNINGDOJISTAR computes talib:CDLMORNINGDOJISTAR. Candlestick pattern: Morning doji star; 100 up, -100 down, 0 for none.
func CDLMORNINGDOJISTAR(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLMORNINGDOJISTAR", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLMORNINGSTAR computes talib:CDLMORNINGSTAR. Candlestick pattern: Morning star; 100 up, -100 down, 0 for none.
func CDLMORNINGSTAR(dst, open, high, low, close []float64, penetration float64) []float64 {
	return call1("CDLMORNINGSTAR", dst, [][]float64{open, high, low, close}, penetration)
}

// CDLONNECK computes talib:CDLONNECK. Candlestick pattern: On-neck; 100 up, -100 down, 0 for none.
func CDLONNECK(dst, open, high, low, close []float64) []float64 {
	return call1("CDLONNECK", dst, [][]float64{open, high, low, close})
}

// CDLPIERCING computes talib:CDLPIERCING. Candlestick pattern: Piercing; 100 up, -100 down, 0 for none.
func CDLPIERCING(dst, open, high, low, close []float64) []float64 {
	return call1("CDLPIERCING", dst, [][]float64{open, high, low, close})
}

// CDLRICKSHAWMAN computes talib:CDLRICKSHAWMAN. Candlestick pattern: Rickshaw man; 100 up, -100 down, 0 for none.
func CDLRICKSHAWMAN(dst, open, high, low, close []float64) []float64 {
	return call1("CDLRICKSHAWMAN", dst, [][]float64{open, high, low, close})
}

// CDLRISEFALL3METHODS computes talib:CDLRISEFALL3METHODS. Candlestick pattern: Rising or falling three methods; 100 up, -100 down, 0 for none.
func CDLRISEFALL3METHODS(dst, open, high, low, close []float64) []float64 {
	return call1("CDLRISEFALL3METHODS", dst, [][]float64{open, high, low, close})
}

// CDLSEPARATINGLINES computes talib:CDLSEPARATINGLINES. Candlestick pattern: Separating lines; 100 up, -100 down, 0 for none.
func CDLSEPARATINGLINES(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSEPARATINGLINES", dst, [][]float64{open, high, low, close})
}

// CDLSHOOTINGSTAR computes talib:CDLSHOOTINGSTAR. Candlestick pattern: Shooting star; 100 up, -100 down, 0 for none.
func CDLSHOOTINGSTAR(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSHOOTINGSTAR", dst, [][]float64{open, high, low, close})
}

// CDLSHORTLINE computes talib:CDLSHORTLINE. Candlestick pattern: Short line; 100 up, -100 down, 0 for none.
func CDLSHORTLINE(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSHORTLINE", dst, [][]float64{open, high, low, close})
}

// CDLSPINNINGTOP computes talib:CDLSPINNINGTOP. Candlestick pattern: Spinning top; 100 up, -100 down, 0 for none.
func CDLSPINNINGTOP(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSPINNINGTOP", dst, [][]float64{open, high, low, close})
}

// CDLSTALLEDPATTERN computes talib:CDLSTALLEDPATTERN. Candlestick pattern: Stalled pattern; 100 up, -100 down, 0 for none.
func CDLSTALLEDPATTERN(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSTALLEDPATTERN", dst, [][]float64{open, high, low, close})
}

// CDLSTICKSANDWICH computes talib:CDLSTICKSANDWICH. Candlestick pattern: Stick sandwich; 100 up, -100 down, 0 for none.
func CDLSTICKSANDWICH(dst, open, high, low, close []float64) []float64 {
	return call1("CDLSTICKSANDWICH", dst, [][]float64{open, high, low, close})
}

// CDLTAKURI computes talib:CDLTAKURI. Candlestick pattern: Takuri; 100 up, -100 down, 0 for none.
func CDLTAKURI(dst, open, high, low, close []float64) []float64 {
	return call1("CDLTAKURI", dst, [][]float64{open, high, low, close})
}

// CDLTASUKIGAP computes talib:CDLTASUKIGAP. Candlestick pattern: Tasuki gap; 100 up, -100 down, 0 for none.
func CDLTASUKIGAP(dst, open, high, low, close []float64) []float64 {
	return call1("CDLTASUKIGAP", dst, [][]float64{open, high, low, close})
}

// CDLTHRUSTING computes talib:CDLTHRUSTING. Candlestick pattern: Thrusting; 100 up, -100 down, 0 for none.
func CDLTHRUSTING(dst, open, high, low, close []float64) []float64 {
	return call1("CDLTHRUSTING", dst, [][]float64{open, high, low, close})
}

// CDLTRISTAR computes talib:CDLTRISTAR. Candlestick pattern: Tristar; 100 up, -100 down, 0 for none.
func CDLTRISTAR(dst, open, high, low, close []float64) []float64 {
	return call1("CDLTRISTAR", dst, [][]float64{open, high, low, close})
}

// CDLUNIQUE3RIVER computes talib:CDLUNIQUE3RIVER. Candlestick pattern: Unique three-river bottom; 100 up, -100 down, 0 for none.
func CDLUNIQUE3RIVER(dst, open, high, low, close []float64) []float64 {
	return call1("CDLUNIQUE3RIVER", dst, [][]float64{open, high, low, close})
}

// CDLUPSIDEGAP2CROWS computes talib:CDLUPSIDEGAP2CROWS. Candlestick pattern: Upside gap two crows; 100 up, -100 down, 0 for none.
func CDLUPSIDEGAP2CROWS(dst, open, high, low, close []float64) []float64 {
	return call1("CDLUPSIDEGAP2CROWS", dst, [][]float64{open, high, low, close})
}

// CDLXSIDEGAP3METHODS computes talib:CDLXSIDEGAP3METHODS. Candlestick pattern: Gap three methods; 100 up, -100 down, 0 for none.
func CDLXSIDEGAP3METHODS(dst, open, high, low, close []float64) []float64 {
	return call1("CDLXSIDEGAP3METHODS", dst, [][]float64{open, high, low, close})
}
