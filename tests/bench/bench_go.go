// The rows of the benchmark table, in Go. Prints "row value unit" for each row named on the command line (none: all).
// bench_gort.c is the same program in gort: keep the two in step. Sizes, what is timed and what is not are the same in both; nothing
// is warmed up. docs/benchmarks.md says what each row is.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var scale = 1.0

// scaled is n, made smaller by --scale.
func scaled(n int) int {
	small := int(float64(n) * scale)
	if small < 16 {
		return 16
	}
	return small
}

func printNs(row string, d time.Duration, n int) {
	fmt.Printf("%s %.2f ns\n", row, float64(d.Nanoseconds())/float64(n))
}

// ---- spawn + exit: one goroutine starts n others that end at once ----

func nothing(wg *sync.WaitGroup) {
	wg.Done()
}

func spawn() {
	n := scaled(1000000)
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go nothing(&wg)
	}
	wg.Wait()
	printNs("spawn", time.Since(t), n)
}

// ---- yield: two goroutines, time per yield ----

func yielder(n int, wg *sync.WaitGroup) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
	wg.Done()
}

func yield() {
	n := scaled(1000000)
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(2)
	go yielder(n, &wg)
	go yielder(n, &wg)
	wg.Wait()
	printNs("yield", time.Since(t), 2*n)
}

// ---- unbuffered ping-pong: time per round trip ----

func pong(in <-chan int32, out chan<- int32) {
	for v := range in {
		out <- v
	}
	close(out)
}

func pingpong() {
	n := scaled(500000)
	a, b := make(chan int32), make(chan int32)
	go pong(a, b)
	t := time.Now()
	for i := 0; i < n; i++ {
		a <- int32(i)
		<-b
	}
	printNs("pingpong", time.Since(t), n)
	close(a)
	for range b {
	}
}

// ---- buffered pipe, time per element ----

func pipeProducer(c chan<- int32, n int, wg *sync.WaitGroup) {
	for i := 0; i < n; i++ {
		c <- int32(i)
	}
	wg.Done()
}

func pipeConsumer(c <-chan int32, n int, wg *sync.WaitGroup) {
	for i := 0; i < n; i++ {
		<-c
	}
	wg.Done()
}

func pipe(row string, pairs, n int) {
	each := scaled(n) / pairs
	c := make(chan int32, 128)
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(2 * pairs)
	for k := 0; k < pairs; k++ {
		go pipeProducer(c, each, &wg)
		go pipeConsumer(c, each, &wg)
	}
	wg.Wait()
	printNs(row, time.Since(t), each*pairs)
}

// ---- select of 4, one ready, and the send that makes it so ----

func select4() {
	n := scaled(1000000)
	var c [4]chan int32
	for i := range c {
		c[i] = make(chan int32, 1)
	}
	var v int32
	t := time.Now()
	for i := 0; i < n; i++ {
		c[i&3] <- int32(i)
		select {
		case v = <-c[0]:
		case v = <-c[1]:
		case v = <-c[2]:
		case v = <-c[3]:
		}
	}
	printNs("select4", time.Since(t), n)
	runtime.KeepAlive(v)
}

// ---- mutex: lock + unlock ----

var mu sync.Mutex
var counter int64

func locker(n int, wg *sync.WaitGroup) {
	for i := 0; i < n; i++ {
		mu.Lock()
		counter++
		mu.Unlock()
	}
	wg.Done()
}

func mutex(row string, goroutines, n int) {
	each := scaled(n) / goroutines
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(goroutines)
	for k := 0; k < goroutines; k++ {
		go locker(each, &wg)
	}
	wg.Wait()
	printNs(row, time.Since(t), each*goroutines)
}

// ---- n goroutines, each of which passes a mutex section and parks on a channel: time to have them all there, bytes each, and time to
// wake them and have them end ----

func resident() int64 {
	var skip, pages int64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		fmt.Sscan(string(b), &skip, &pages)
	}
	return pages * int64(os.Getpagesize())
}

type parking struct {
	mutex     sync.Mutex
	passed, n int
	all       chan int32 // gets one element when the last has passed the section
	gate      chan int32 // they park here until it is closed
	ended     sync.WaitGroup
}

func parker(p *parking) {
	p.mutex.Lock()
	p.passed++
	last := p.passed == p.n
	p.mutex.Unlock()
	if last {
		p.all <- 1
	}
	<-p.gate
	p.ended.Done()
}

func park(row string, n int) {
	p := &parking{n: scaled(n), all: make(chan int32, 1), gate: make(chan int32)}
	p.ended.Add(p.n)
	before, t := resident(), time.Now()
	for i := 0; i < p.n; i++ {
		go parker(p)
	}
	<-p.all
	d := time.Since(t)
	after, wake := resident(), time.Now()
	close(p.gate)
	p.ended.Wait()
	woken := time.Since(wake)
	fmt.Printf("%s %.2f ms\n%s_bytes %.0f B\n%s_wake %.2f ms\n", row, float64(d.Nanoseconds())/1e6,
		row, float64(after-before)/float64(p.n), row, float64(woken.Nanoseconds())/1e6)
}

// ---- lateness: percentiles of what was waited beyond what was asked for ----

func printLate(row string, late []int64) {
	n := len(late)
	sort.Slice(late, func(i, k int) bool { return late[i] < late[k] })
	fmt.Printf("%s_p50 %.3f us\n%s_p99 %.3f us\n", row, float64(late[n/2])/1e3, row, float64(late[n*99/100])/1e3)
}

// naps of 1 ms.
func naps(late []int64) {
	for i := range late {
		t := time.Now()
		time.Sleep(time.Millisecond)
		late[i] = (time.Since(t) - time.Millisecond).Nanoseconds()
	}
}

// ---- 10,000 sleepers, ten naps each ----

func sleeper(late []int64, wg *sync.WaitGroup) {
	naps(late)
	wg.Done()
}

func sleepers() {
	const each = 10
	n := scaled(10000)
	late := make([]int64, n*each)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		go sleeper(late[i*each:(i+1)*each], &wg)
	}
	wg.Wait()
	printLate("sleep10k", late)
}

// ---- a loop that never enters the runtime: how late another goroutine's naps end. 25 loops one after another, eight naps behind each,
// so the start of a loop and its going on both count. Meant for one P. ----

func looper(stop *int32, wg *sync.WaitGroup) {
	for atomic.LoadInt32(stop) == 0 {
	}
	wg.Done()
}

func loop() {
	const each = 8
	loops := 25
	if scale < 1 {
		loops = 2
	}
	late := make([]int64, loops*each)
	for i := 0; i < loops; i++ {
		var stop int32
		var wg sync.WaitGroup
		wg.Add(1)
		go looper(&stop, &wg)
		naps(late[i*each : (i+1)*each])
		atomic.StoreInt32(&stop, 1)
		wg.Wait()
	}
	printLate("loop", late)
}

// ---- prime sieve: the first n primes by a chain of filters ----

func generate(out chan<- int32) {
	for i := int32(2); ; i++ {
		out <- i
	}
}

func filter(in <-chan int32, out chan<- int32, prime int32) {
	for v := range in {
		if v%prime != 0 {
			out <- v
		}
	}
}

func sieve() {
	n := scaled(600)
	t := time.Now()
	c := make(chan int32)
	go generate(c)
	for i := 0; i < n; i++ {
		prime := <-c
		next := make(chan int32)
		go filter(c, next, prime)
		c = next
	}
	fmt.Printf("sieve %.2f ms\n", float64(time.Since(t).Nanoseconds())/1e6) // the chain is left behind
}

var rows = []struct {
	name string
	run  func()
}{
	{"spawn", spawn}, {"yield", yield}, {"pingpong", pingpong},
	{"pipe1x1", func() { pipe("pipe1x1", 1, 2000000) }}, {"pipe4x4", func() { pipe("pipe4x4", 4, 2000000) }},
	{"select4", select4},
	{"mutex1", func() { mutex("mutex1", 1, 5000000) }}, {"mutex8", func() { mutex("mutex8", 8, 5000000) }},
	{"sleep10k", sleepers}, {"loop", loop},
	{"park100k", func() { park("park100k", 100000) }}, {"park1m", func() { park("park1m", 1000000) }},
	{"sieve", sieve},
}

func usage(problem string) {
	fmt.Fprintf(os.Stderr, "bench_go: %s\nusage: bench_go [--scale F] [ROW ...]   F: sizes times F, over 0 and at most 1\nrows:", problem)
	for _, r := range rows {
		fmt.Fprintf(os.Stderr, " %s", r.name)
	}
	fmt.Fprintln(os.Stderr)
	os.Exit(2)
}

func main() {
	args := os.Args[1:]
	if len(args) == 1 && args[0] == "--version" {
		fmt.Println(runtime.Version())
		return
	}
	if len(args) > 0 && args[0] == "--scale" {
		err := strconv.ErrSyntax
		if len(args) > 1 {
			scale, err = strconv.ParseFloat(args[1], 64)
		}
		if err != nil || !(scale > 0 && scale <= 1) {
			usage("--scale needs a number over 0 and at most 1")
		}
		args = args[2:]
	}
	wanted := map[string]bool{}
	for _, a := range args {
		known := false
		for _, r := range rows {
			known = known || r.name == a
		}
		if !known {
			usage("no row '" + a + "'")
		}
		wanted[a] = true
	}
	for _, r := range rows {
		if len(args) == 0 || wanted[r.name] {
			r.run()
		}
	}
}
