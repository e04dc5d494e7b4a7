// SPDX-License-Identifier: Apache-2.0

package cdbsim

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The limits of a page: the vendor's product document 15856.
const defaultLimit, maxLimit = 20, 100

// Instance is a database instance, whose imports DescribeDBImportRecords lists.
type Instance struct {
	Region, ID string
	// Owner is the main account that it belongs to. Another one's calls do not find it. Empty: the default main account.
	Owner string
	// TotalAsText makes TotalCount a text, as in the vendor's example.
	TotalAsText bool
}

// instance is an Instance with its imports, newest first.
type instance struct {
	Instance
	imports []*Import
}

// Omit is the value of a field that a record lacks.
const Omit = "\x00omitted"

// beijing is where the vendor's times are told. No document says so.
var beijing = time.FixedZone("", 8*60*60)

// SetInstance creates an instance without imports, or changes one. Its region is known from then on.
func (s *Server) SetInstance(i Instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.regions[i.Region] = true
	key := [2]string{i.Region, i.ID}
	if s.instances[key] == nil {
		s.instances[key] = &instance{}
	}
	s.instances[key].Instance = i
}

// byAge orders imports newest first.
func byAge(a, b *Import) int {
	return cmp.Or(b.CreateTime.Compare(a.CreateTime), cmp.Compare(a.ID, b.ID))
}

// list adds an import to its instance, which it creates if need be.
func (s *Server) list(i *Import) {
	if i.InstanceID == "" {
		return
	}
	key := [2]string{i.Region, i.InstanceID}
	if s.instances[key] == nil {
		s.instances[key] = &instance{Instance: Instance{Region: i.Region, ID: i.InstanceID, Owner: i.Owner}}
	}
	on := s.instances[key]
	at, _ := slices.BinarySearchFunc(on.imports, i, byAge)
	on.imports = slices.Insert(on.imports, at, i)
}

// unlist takes an import away from its instance. Nil has none.
func (s *Server) unlist(i *Import) {
	if i == nil || i.InstanceID == "" {
		return
	}
	on := s.instances[[2]string{i.Region, i.InstanceID}]
	if at, found := slices.BinarySearchFunc(on.imports, i, byAge); found {
		on.imports = slices.Delete(on.imports, at, at+1)
	}
}

// listing answers DescribeDBImportRecords.
func (s *Server) listing(call Call, fault *Fault, now time.Time) (output map[string]any, code string) {
	on := s.instances[[2]string{call.Region, call.InstanceID}]
	if on == nil || on.Owner != s.identity(call.SecretID).Owner {
		return nil, "InvalidParameter.InstanceNotFound"
	}
	visible := fault.distort(on.visible(now))
	items := []map[string]any{}
	for _, i := range visible[min(call.Offset, len(visible)):min(call.Offset+call.Limit, len(visible))] {
		items = append(items, i.record(now))
	}
	output = map[string]any{"TotalCount": len(visible), "Items": items}
	if on.TotalAsText {
		output["TotalCount"] = strconv.Itoa(len(visible))
	}
	return output, ""
}

// visible returns the imports whose records have appeared.
func (i *instance) visible(now time.Time) []*Import {
	output := make([]*Import, 0, len(i.imports)+1)
	for _, one := range i.imports {
		if now.Sub(one.CreateTime) >= one.ListedAfter {
			output = append(output, one)
		}
	}
	return output
}

// distort changes the listing as the fault says, for one call. A nil fault changes nothing.
func (f *Fault) distort(imports []*Import) []*Import {
	switch {
	case f == nil || len(imports) == 0:
		return imports
	case f.Kind == Moved:
		by := f.played % len(imports)
		return slices.Concat(imports[len(imports)-by:], imports[:len(imports)-by])
	case f.Kind == Changed:
		another := *imports[0]
		another.ID, another.Status, another.stoppedAt = fmt.Sprintf("%s-%d", another.ID, f.played), "RUNNING", time.Time{}
		return append([]*Import{&another}, imports...)
	default:
		return imports
	}
}

// record is the import as a listing tells it.
func (i *Import) record(now time.Time) map[string]any {
	status, percent := i.recordStatus(now), i.Percent
	if status == statusSuccessful {
		percent = 100
	}
	sum := sha256.Sum256([]byte(i.InstanceID))
	job := int(i.CreateTime.Unix() % 1_000_000)
	record := map[string]any{
		"Status": status, "Code": 0, "CostTime": max(int(now.Sub(i.CreateTime).Seconds()), 0),
		"InstanceId": fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]), // not the id that was asked for
		"WorkId":     strconv.Itoa(job), "JobId": job, "FileName": i.FileName, "FileSize": strconv.FormatInt(i.FileSize, 10), "Process": percent,
		"CreateTime": i.CreateTime.In(beijing).Format(time.DateTime), "Message": "", "DbName": i.DatabaseName, "AsyncRequestId": i.ID,
	}
	for field, value := range i.Record {
		record[field] = value
		if value == Omit {
			delete(record, field)
		}
	}
	return record
}

// The statuses of a record. It knows no import that was stopped: such a one has failed.
const statusInitializing, statusRunning, statusSuccessful, statusFailed = 0, 1, 2, 3

// recordStatus is what the record says of the status: late, where the import has ended.
func (i *Import) recordStatus(now time.Time) any {
	ended := i.setAt
	if !i.stoppedAt.IsZero() {
		ended = i.stoppedAt.Add(i.RunsOn + i.EndsAfter)
	}
	late := now.Sub(ended) < i.RecordLag
	switch i.statusAt(now) {
	case StatusNull:
		return nil
	case "UNDEFINED", "INITIAL":
		return statusInitializing
	case "SUCCESS":
		if !late {
			return statusSuccessful
		}
	case "FAILED", "KILLED", "REMOVED":
		if !late {
			return statusFailed
		}
	}
	return statusRunning
}
