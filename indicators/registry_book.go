package indicators

// book returns the entries that follow their books, besides the first eight.
func book() []Indicator {
	return []Indicator{
		adlIndicator(), chaikinIndicator(), cmfIndicator(), mfiIndicator(), obvIndicator(),
		aobvIndicator(), forceIndicator(), emvIndicator(), klingerIndicator(), nviIndicator(),
		pviIndicator(), pvtIndicator(), priceVolumeIndicator(), marketFIIndicator(), wadIndicator(),
		vwapIndicator(), rollingVWAPIndicator(), vidyaIndicator(), mcginleyIndicator(), zlemaIndicator(),
		hwmaIndicator(), smootherIndicator(), jmaIndicator(), kalmanIndicator(), alligatorIndicator(),
		gatorIndicator(), gmmaIndicator(), envelopesIndicator(), aroonIndicator(), hiloIndicator(),
		atrStopIndicator(), volatilityStopIndicator(), chandelierIndicator(), chandeKrollIndicator(), utBotIndicator(),
		awesomeIndicator(), acceleratorIndicator(), fisherIndicator(), rvgiIndicator(), bopIndicator(),
		ultimateIndicator(), cciIndicator(), cmoIndicator(), keltnerIndicator(), starcIndicator(),
		aberrationIndicator(), donchianIndicator(), accelerationIndicator(), hwcIndicator(), fcbIndicator(),
		fractalIndicator(), chopIndicator(), vhfIndicator(), massIndicator(), dpoIndicator(),
		connorsIndicator(), qqeIndicator(), rsxIndicator(), hilbertIndicator(), mamaIndicator(),
		mswIndicator(), ebswIndicator(), demaIndicator(), temaIndicator(), trixIndicator(),
		t3Indicator(), stdDevIndicator(), zScoreIndicator(), deviationIndicator(), medianIndicator(),
		quantileIndicator(), percentRankIndicator(), skewIndicator(), kurtosisIndicator(), entropyIndicator(),
		correlationIndicator(), betaIndicator(), prsIndicator(), almaIndicator(), fwmaIndicator(),
		pwmaIndicator(), sinwmaIndicator(), swmaIndicator(), trimaIndicator(), gaussianHannIndicator(),
		ichimokuIndicator(), efficiencyIndicator(), kamaIndicator(), rocIndicator(), momentumIndicator(),
		rocBandsIndicator(), returnsIndicator(), kstIndicator(), specialKIndicator(), coppockIndicator(),
		ppoIndicator(), pvoIndicator(), apoIndicator(), voscIndicator(), elderIndicator(),
		biasIndicator(), brarIndicator(), pslIndicator(), cgIndicator(), pgoIndicator(),
		ibsIndicator(), squeezeIndicator(), squeezeProIndicator(), priceFormsIndicator(), heikinAshiIndicator(),
		extremesIndicator(), sumIndicator(), lagIndicator(), dojiIndicator(), dxIndicator(), adxrIndicator(), marubozuIndicator(),
		rollingPivotsIndicator(), zigZagIndicator(), psarIndicator(), regressionIndicator(), slopeIndicator(),
		channelsIndicator(), cfoIndicator(), foscIndicator(), ctiIndicator(), rviIndicator(),
		inertiaIndicator(), smmaIndicator(), stochasticIndicator(), kdjIndicator(), stochRSIIndicator(),
		williamsIndicator(), smiIndicator(), stcIndicator(), stc2Indicator(), superTrendIndicator(),
		trueRangeIndicator(), natrIndicator(), ulcerIndicator(), rangeVolatilityIndicator(), cviIndicator(),
		thermoIndicator(), pdistIndicator(), hurstIndicator(), tsiIndicator(), ergodicIndicator(),
		pmoIndicator(), ttmTrendIndicator(), qstickIndicator(), amatIndicator(), decayIndicator(),
		eDecayIndicator(), tdSequentialIndicator(), runIndicator(), streakIndicator(), vortexIndicator(),
		vwmaIndicator(), evwmaIndicator(), vwmacdIndicator(), wmaIndicator(), hmaIndicator(),
	}
}
