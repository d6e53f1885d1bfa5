//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// measure runs a command and writes what it used as one line of JSON to FILE.
func measure(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: measure FILE COMMAND [ARG…]")
	}
	cmd := exec.Command(args[1], args[2:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	start := time.Now()
	err := cmd.Run()
	wall := time.Since(start)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return err
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	rss := int64(usage.Maxrss)
	if runtime.GOOS != "darwin" { // There it is in bytes.
		rss *= 1024
	}
	line := fmt.Sprintf(`{"status":%d,"wall_seconds":%.6f,"cpu_seconds":%.6f,"max_rss_bytes":%d}`+"\n",
		cmd.ProcessState.ExitCode(), wall.Seconds(),
		(cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), rss)
	return os.WriteFile(args[0], []byte(line), 0o666)
}
