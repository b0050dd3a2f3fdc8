// An echo server in Go: prints "listening on 127.0.0.1:PORT", then a goroutine for each connection sends back what it reads, 1 KiB at
// a time, until it is killed. echo_gort.c is the same program in gort: keep the two in step.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

// permitFiles raises the limit of open files to the hard one; what more is wanted, the load generator knows and says.
func permitFiles() {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) == nil {
		r.Cur = r.Max
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &r)
	}
}

func die(what string, err error) {
	fmt.Fprintf(os.Stderr, "echo_go: %s: %v\n", what, err)
	os.Exit(1)
}

func serve(c net.Conn) {
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		if err == nil {
			_, err = c.Write(buf[:n])
		}
		if err != nil {
			if err != io.EOF {
				fmt.Fprintf(os.Stderr, "echo_go: connection: %v\n", err)
			}
			break
		}
	}
	c.Close()
}

func main() {
	permitFiles()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		die("listen", err)
	}
	fmt.Printf("listening on %s\n", l.Addr())
	for {
		c, err := l.Accept()
		if err != nil {
			die("accept", err)
		}
		go serve(c)
	}
}
