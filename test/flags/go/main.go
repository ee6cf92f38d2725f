// What reads flag files, each by its own packages: `flags flagd FILE` with flagd's watcher, store and evaluator,
// `flags goFeatureFlag FILE` with that library. It prints the address at which it answers OFREP.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/open-feature/flagd/core/pkg/evaluator"
	"github.com/open-feature/flagd/core/pkg/logger"
	"github.com/open-feature/flagd/core/pkg/service/ofrep"
	"github.com/open-feature/flagd/core/pkg/store"
	"github.com/open-feature/flagd/core/pkg/sync"
	"github.com/open-feature/flagd/core/pkg/sync/file"
	goff "github.com/thomaspoignant/go-feature-flag"
	"github.com/thomaspoignant/go-feature-flag/ffcontext"
	"github.com/thomaspoignant/go-feature-flag/retriever/fileretriever"
	"go.uber.org/zap"
)

// An answer of OFREP, and its status.
type resolve func(flag string) (int, any)

func main() {
	readers := map[string]func(string) resolve{"flagd": flagd, "goFeatureFlag": goFeatureFlag}
	answer := readers[os.Args[1]](os.Args[2])
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	fmt.Printf("http://%s\n", listener.Addr())
	must(http.Serve(listener, http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		status, body := answer(path.Base(request.URL.Path))
		response.Header().Set("Content-Type", "application/json")
		response.WriteHeader(status)
		_ = json.NewEncoder(response).Encode(body)
	})))
}

func flagd(name string) resolve {
	quiet := logger.NewLogger(zap.NewNop(), false)
	flags := evaluator.NewJSON(quiet, store.NewFlags())
	watched := file.NewFileSync(name, file.FSNOTIFY, quiet)
	must(watched.Init(context.Background()))
	changes := make(chan sync.DataSync)
	go func() { must(watched.Sync(context.Background(), changes)) }()
	take := func(change sync.DataSync) {
		if _, _, err := flags.SetState(change); err != nil {
			log.Print(err)
		}
	}
	take(<-changes)
	go func() {
		for change := range changes {
			take(change)
		}
	}()
	return func(flag string) (int, any) {
		answer := flags.ResolveAsAnyValue(context.Background(), "", flag, map[string]any{})
		if answer.Error != nil {
			return ofrep.EvaluationErrorResponseFrom(answer)
		}
		return http.StatusOK, ofrep.SuccessResponseFrom(answer)
	}
}

func goFeatureFlag(name string) resolve {
	client, err := goff.New(goff.Config{PollingInterval: time.Second, Retriever: &fileretriever.Retriever{Path: name}})
	must(err)
	return func(flag string) (int, any) {
		found, err := client.BoolVariationDetails(flag, ffcontext.NewEvaluationContext("anybody"), false)
		if err != nil {
			return http.StatusNotFound, map[string]any{"key": flag, "errorCode": found.ErrorCode, "errorDetails": err.Error()}
		}
		return http.StatusOK, map[string]any{"key": flag, "value": found.Value, "variant": found.VariationType, "reason": found.Reason}
	}
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
