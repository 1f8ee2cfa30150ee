package analysts

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// price prints a price to the cent, and to four places below one dollar.
func price(x float64) string {
	if x != 0 && math.Abs(x) < 1 {
		return strconv.FormatFloat(x, 'f', 4, 64)
	}
	return strconv.FormatFloat(x, 'f', 2, 64)
}

// percent prints a fraction with its sign: "+5.2%".
func percent(x float64) string { return signed(100*x, 1) + "%" }

// share prints a fraction that has no direction: "18.3%".
func share(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + "%" }

// signed prints a number with its sign and no "-0.0".
func signed(x float64, digits int) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', digits, 64)
	if strings.Trim(s, "0.") == "" {
		return s
	}
	if x < 0 {
		return "-" + s
	}
	return "+" + s
}

// away says how far and on which side something lies: "5.2% above".
func away(x float64, below, above string) string {
	if x < 0 {
		return share(-x) + " " + below
	}
	return share(x) + " " + above
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// thousands prints a count with separators: "12,345".
func thousands(x float64) string {
	s := strconv.FormatFloat(math.Abs(x), 'f', 0, 64)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if x <= -0.5 {
		return "-" + s
	}
	return s
}
