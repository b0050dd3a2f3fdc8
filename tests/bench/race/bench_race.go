// The rows of the race bench, in Go: built plain and with -race. bench_race.c is the same in C, which says more: keep the two in step.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

var scale = 1.0

func scaled(n int) int {
	small := int(float64(n) * scale)
	if small < 4 {
		return 4
	}
	return small
}

func printNs(row string, d time.Duration, n int) {
	fmt.Printf("%s %.3f ns\n", row, float64(d.Nanoseconds())/float64(n))
}

var keep int

// ---- plain accesses: one goroutine ----

const words = 64 * 1024

//go:noinline
func sumOf(a []int) int {
	s := 0
	for i := range a {
		s += a[i]
	}
	return s
}

func sum() {
	passes, a := scaled(1000), make([]int, words)
	t := time.Now()
	for p := 0; p < passes; p++ {
		keep = sumOf(a)
	}
	printNs("sum", time.Since(t), passes*words)
}

//go:noinline
func writeTo(a []int, value int) {
	for i := range a {
		a[i] = i ^ value
	}
}

func writeWords() {
	passes, a := scaled(1000), make([]int, words)
	t := time.Now()
	for p := 0; p < passes; p++ {
		writeTo(a, p)
	}
	keep = a[7]
	printNs("write", time.Since(t), passes*words)
}

func mixed(state *uint64) uint64 {
	x := *state
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*state = x
	return x
}

//go:noinline
func randomWords(a []int, n int) {
	s := uint64(88172645463325252)
	mask := uint64(len(a) - 1)
	for i := 0; i < n; i++ {
		a[mixed(&s)&mask]++
	}
}

func random() {
	n, a := scaled(20000000), make([]int, 8<<20)
	t := time.Now()
	randomWords(a, n)
	printNs("random", time.Since(t), n)
	keep = a[7]
}

type cell struct {
	key, count uint64
}

//go:noinline
func cellOf(table []cell, key uint64) *cell {
	mask := uint64(len(table) - 1)
	i := (key * 0x9e3779b97f4a7c15 >> 32) & mask
	for table[i].key != key && table[i].key != 0 {
		i = (i + 1) & mask
	}
	return &table[i]
}

func hash() {
	table, s, n := make([]cell, 1<<20), uint64(88172645463325252), scaled(8000000)
	t := time.Now()
	for i := 0; i < n; i++ {
		key := mixed(&s)%uint64(len(table)/2) + 1
		c := cellOf(table, key)
		c.key = key
		c.count++
	}
	printNs("hash", time.Since(t), n)
}

//go:noinline
func multiply(a, b, c []float64, n int) {
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			s := 0.0
			for k := 0; k < n; k++ {
				s += a[i*n+k] * b[k*n+j]
			}
			c[i*n+j] = s
		}
	}
}

func matrix() {
	n := 300
	if scale < 1 {
		n = int(300*scale) + 4
	}
	a, b, c := make([]float64, n*n), make([]float64, n*n), make([]float64, n*n)
	for i := range a {
		a[i] = float64(i)
		b[i] = float64(-i)
	}
	t := time.Now()
	multiply(a, b, c, n)
	printNs("matrix", time.Since(t), n*n*n)
	keep = int(c[7])
}

type record struct {
	id           int32
	kind         int16
	flag, letter int8
	next         *record
	weight       float64
	name         [8]int8
}

//go:noinline
func weigh(r *record, kind int16) float64 {
	if r.kind != kind {
		return 0
	}
	r.flag = 0
	if r.letter > 'm' {
		r.flag = 1
	}
	if r.flag != 0 {
		r.weight += float64(r.id)
	} else {
		r.weight--
	}
	r.name[r.id&7] = r.letter
	return r.weight
}

func records() {
	const n = 10000
	passes, all, total := scaled(300), make([]record, n), 0.0
	for i := range all {
		all[i].id = int32(i)
		all[i].kind = int16(i % 3)
		all[i].letter = int8('a' + i%26)
		all[i].next = &all[(i+1)%n]
	}
	t := time.Now()
	for p := 0; p < passes; p++ {
		r := &all[0]
		for i := 0; i < n; i++ {
			total += weigh(r, int16(p%3))
			r = r.next
		}
	}
	printNs("records", time.Since(t), passes*n)
	keep = int(total)
}

func copyBlocks() {
	const block, blocks = 4096, 512
	passes, from, to := scaled(200), make([]byte, block*blocks), make([]byte, block*blocks)
	t := time.Now()
	for p := 0; p < passes; p++ {
		for i := 0; i < blocks; i++ {
			copy(to[i*block:(i+1)*block], from[(blocks-1-i)*block:])
		}
	}
	printNs("copy", time.Since(t), passes*blocks)
	keep = int(to[77])
}

// ---- goroutines ----

func epochs() {
	const n = 4096
	var m sync.Mutex
	passes, a, s := scaled(4000), make([]int, n), 0
	t := time.Now()
	for p := 0; p < passes; p++ {
		writeTo(a, p)
		m.Lock()
		m.Unlock()
		s += sumOf(a)
		m.Lock()
		m.Unlock()
	}
	printNs("epochs", time.Since(t), passes*2*n)
	keep = s
}

func handed() {
	rounds, a, total := scaled(200), make([]int, words), 0
	t := time.Now()
	for r := 0; r < rounds; r++ {
		var wg sync.WaitGroup
		wg.Add(1)
		writeTo(a, r)
		go func() {
			total += sumOf(a)
			wg.Done()
		}()
		wg.Wait()
	}
	printNs("handed", time.Since(t), rounds*2*words)
	keep = total
}

type counting struct {
	m             sync.Mutex
	counter, each int
	atomic        int64
}

func lockAndCount(c *counting) {
	for i := 0; i < c.each; i++ {
		c.m.Lock()
		c.counter++
		c.m.Unlock()
	}
}

func addAtomically(c *counting) {
	for i := 0; i < c.each; i++ {
		atomic.AddInt64(&c.atomic, 1)
	}
}

func count(row string, n, total int, fn func(*counting)) func() {
	return func() {
		c := &counting{each: scaled(total) / n}
		var wg sync.WaitGroup
		wg.Add(n)
		t := time.Now()
		for i := 0; i < n; i++ {
			go func() {
				fn(c)
				wg.Done()
			}()
		}
		wg.Wait()
		printNs(row, time.Since(t), c.each*n)
	}
}

func pingpong() {
	n, a, b := scaled(300000), make(chan int32), make(chan int32)
	go func() {
		for v := range a {
			b <- v
		}
		close(b)
	}()
	t := time.Now()
	for i := 0; i < n; i++ {
		a <- int32(i)
		<-b
	}
	printNs("pingpong", time.Since(t), n)
	close(a)
}

func pipe() {
	n, c, total := scaled(1000000), make(chan int32, 128), int32(0)
	t := time.Now()
	go func() {
		for i := 0; i < n; i++ {
			c <- int32(i)
		}
	}()
	for i := 0; i < n; i++ {
		total += <-c
	}
	printNs("pipe", time.Since(t), n)
	keep = int(total)
}

func spawn() {
	n := scaled(300000)
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go wg.Done()
	}
	wg.Wait()
	printNs("spawn", time.Since(t), n)
}

func crowd(row string, n int) func() {
	return func() {
		n := scaled(n)
		var m sync.Mutex
		var wg sync.WaitGroup
		arrived, own := 0, make([]int, 8*n)
		t := time.Now()
		all, gate := make(chan int32, 1), make(chan int32)
		wg.Add(n)
		for i := 0; i < n; i++ {
			go func() {
				m.Lock()
				me := arrived
				arrived++
				for i := 0; i < 8; i++ {
					own[me*8+i] = me
				}
				m.Unlock()
				if me+1 == n {
					all <- 1
				}
				<-gate
				own[me*8]++
				wg.Done()
			}()
		}
		<-all
		close(gate)
		wg.Wait()
		fmt.Printf("%s %.2f ms\n", row, float64(time.Since(t).Nanoseconds())/1e6)
	}
}

func tooMany() {
	fmt.Println("scale300k n/a a minute and more, and over 4 GiB")
}

func notHere(row string) func() {
	return func() { fmt.Printf("%s n/a Go has its own mutex only\n", row) }
}

var rows = []struct {
	name string
	run  func()
}{
	{"sum", sum}, {"write", writeWords}, {"random", random}, {"hash", hash}, {"matrix", matrix}, {"records", records}, {"copy", copyBlocks},
	{"epochs", epochs}, {"handed", handed},
	{"mutex1", count("mutex1", 1, 3000000, lockAndCount)}, {"mutex2", count("mutex2", 2, 2000000, lockAndCount)},
	{"mutex8", count("mutex8", 8, 2000000, lockAndCount)},
	{"pmutex1", notHere("pmutex1")}, {"pmutex2", notHere("pmutex2")}, {"pmutex8", notHere("pmutex8")},
	{"atomic1", count("atomic1", 1, 5000000, addAtomically)}, {"atomic2", count("atomic2", 2, 5000000, addAtomically)},
	{"pingpong", pingpong}, {"pipe", pipe}, {"spawn", spawn},
	{"scale1k", crowd("scale1k", 1000)}, {"scale10k", crowd("scale10k", 10000)}, {"scale100k", crowd("scale100k", 100000)},
	{"scale300k", tooMany},
}

func printPeak(row string) {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if words := strings.Fields(s.Text()); len(words) > 1 && words[0] == "VmHWM:" {
			kib, _ := strconv.Atoi(words[1])
			fmt.Printf("%s_peak %.1f MiB\n", row, float64(kib)/1024)
		}
	}
}

func fail(format string, args ...interface{}) {
	fmt.Fprintf(os.Stderr, "bench_race: "+format+"\n", args...)
	os.Exit(2)
}

func main() {
	args := os.Args[1:]
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println(runtime.Version())
		return
	}
	if len(args) > 0 && args[0] == "--scale" {
		var err error
		if len(args) < 2 {
			fail("--scale needs a number over 0 and at most 1")
		}
		if scale, err = strconv.ParseFloat(args[1], 64); err != nil || !(scale > 0 && scale <= 1) {
			fail("--scale needs a number over 0 and at most 1")
		}
		args = args[2:]
	}
	wanted := map[string]bool{}
	for _, a := range args {
		wanted[a] = true
	}
	for _, r := range rows {
		if len(args) > 0 && !wanted[r.name] {
			continue
		}
		delete(wanted, r.name)
		done := make(chan bool)
		run := r.run
		go func() {
			run()
			done <- true
		}()
		<-done
		printPeak(r.name)
	}
	for name := range wanted {
		fail("no row '%s'", name)
	}
}
