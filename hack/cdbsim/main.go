// SPDX-License-Identifier: Apache-2.0

// cdbsim serves a simulated cloud: POST / is the API, GET / the log of its calls.
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/tencentcloud-cdb/importjobstop-operator/internal/cdbsim"
)

func main() {
	address := flag.String("address", "127.0.0.1:8085", "where to listen")
	id := flag.String("secret-id", "AKIDEXAMPLE", "SecretId that is let in")
	key := flag.String("secret-key", "example-secret-key", "SecretKey of it")
	token := flag.String("token", "", "token of it, if the credentials are temporary")
	imports := flag.String("imports", "ap-guangzhou/434e366f-beaf56d6-508b7f33-2abdb382", "running imports, as region/id, separated by commas")
	flag.Parse()
	server := cdbsim.New()
	server.SetAccount(cdbsim.Account{SecretID: *id, SecretKey: *key, Token: *token})
	for i := range strings.SplitSeq(*imports, ",") {
		region, task, ok := strings.Cut(i, "/")
		if !ok {
			log.Fatalf("--imports: %q is not region/id", i)
		}
		server.SetImport(cdbsim.Import{Region: region, ID: task, Status: "RUNNING"})
	}
	fmt.Printf("the simulated cloud listens on http://%s\n", *address)
	log.Fatal((&http.Server{Addr: *address, Handler: server, ReadHeaderTimeout: 10 * time.Second}).ListenAndServe())
}
