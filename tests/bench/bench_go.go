// The rows of the benchmark table, in Go. Prints "row value unit" for each row named on the command line (none: all).
// bench_gort.c is the same program in gort: keep the two in step.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func printNs(row string, d time.Duration, n int) {
	fmt.Printf("%s %.2f ns\n", row, float64(d.Nanoseconds())/float64(n))
}

func spawn() {
	const n = 1000000
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(n)
	for i := 0; i < n; i++ {
		go wg.Done()
	}
	wg.Wait()
	printNs("spawn", time.Since(t), n)
}

func yield() {
	const n = 1000000
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(2)
	for k := 0; k < 2; k++ {
		go func() {
			for i := 0; i < n; i++ {
				runtime.Gosched()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	printNs("yield", time.Since(t), 2*n)
}

func pingpong() {
	const n = 500000
	a, b := make(chan int32), make(chan int32)
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
	for range b {
	}
}

func pipe(row string, pairs, n int) {
	c := make(chan int32, 128)
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(2 * pairs)
	for k := 0; k < pairs; k++ {
		go func() {
			for i := 0; i < n/pairs; i++ {
				c <- int32(i)
			}
			wg.Done()
		}()
		go func() {
			for i := 0; i < n/pairs; i++ {
				<-c
			}
			wg.Done()
		}()
	}
	wg.Wait()
	printNs(row, time.Since(t), n)
}

func select4() {
	const n = 1000000
	var c [4]chan int32
	for i := range c {
		c[i] = make(chan int32, 1)
	}
	t := time.Now()
	for i := 0; i < n; i++ {
		c[i&3] <- int32(i)
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		}
	}
	printNs("select4", time.Since(t), n)
}

var mu sync.Mutex
var counter int64

func mutex(row string, goroutines, n int) {
	var wg sync.WaitGroup
	t := time.Now()
	wg.Add(goroutines)
	for k := 0; k < goroutines; k++ {
		go func() {
			for i := 0; i < n/goroutines; i++ {
				mu.Lock()
				counter++
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	printNs(row, time.Since(t), n)
}

func resident() int64 {
	var skip, pages int64
	if b, err := os.ReadFile("/proc/self/statm"); err == nil {
		fmt.Sscan(string(b), &skip, &pages)
	}
	return pages * int64(os.Getpagesize())
}

func park(row string, n int) {
	var parked int32
	c := make(chan int32)
	before, t := resident(), time.Now()
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt32(&parked, 1)
			<-c
			atomic.AddInt32(&parked, -1)
		}()
	}
	for atomic.LoadInt32(&parked) < int32(n) {
		runtime.Gosched()
	}
	d := time.Since(t)
	fmt.Printf("%s %.2f ms\n%s_bytes %.0f B\n", row, float64(d.Nanoseconds())/1e6, row, float64(resident()-before)/float64(n))
	close(c)
	for atomic.LoadInt32(&parked) > 0 {
		runtime.Gosched()
	}
}

func sleepers() {
	const n, naps = 10000, 10
	late := make([]float64, n*naps)
	var wg sync.WaitGroup
	wg.Add(n)
	for k := 0; k < n; k++ {
		go func(me int) {
			for i := 0; i < naps; i++ {
				t := time.Now()
				time.Sleep(time.Millisecond)
				late[me*naps+i] = float64((time.Since(t) - time.Millisecond).Nanoseconds()) / 1e3
			}
			wg.Done()
		}(k)
	}
	wg.Wait()
	sort.Float64s(late)
	fmt.Printf("sleep10k_p50 %.1f us\nsleep10k_p99 %.1f us\n", late[n*naps/2], late[n*naps/100*99])
}

func sieve() {
	const n = 600
	t := time.Now()
	c := make(chan int32)
	go func(out chan<- int32) {
		for i := int32(2); ; i++ {
			out <- i
		}
	}(c)
	for i := 0; i < n; i++ {
		prime := <-c
		next := make(chan int32)
		go func(in <-chan int32, out chan<- int32) {
			for v := range in {
				if v%prime != 0 {
					out <- v
				}
			}
		}(c, next)
		c = next
	}
	fmt.Printf("sieve %.2f ms\n", float64(time.Since(t).Nanoseconds())/1e6)
}

func main() {
	rows := []struct {
		name string
		run  func()
	}{
		{"spawn", spawn}, {"yield", yield}, {"pingpong", pingpong},
		{"pipe1x1", func() { pipe("pipe1x1", 1, 2000000) }}, {"pipe4x4", func() { pipe("pipe4x4", 4, 2000000) }},
		{"select4", select4},
		{"mutex1", func() { mutex("mutex1", 1, 5000000) }}, {"mutex8", func() { mutex("mutex8", 8, 5000000) }},
		{"sleep10k", sleepers},
		{"park100k", func() { park("park100k", 100000) }}, {"park1m", func() { park("park1m", 1000000) }},
		{"sieve", sieve},
	}
	wanted := " " + strings.Join(os.Args[1:], " ") + " "
	for _, r := range rows {
		if len(os.Args) == 1 || strings.Contains(wanted, " "+r.name+" ") {
			r.run()
		}
	}
}
