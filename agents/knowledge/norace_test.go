//go:build !race

package knowledge_test

const racing = false
