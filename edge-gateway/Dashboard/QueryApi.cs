using System.Text;
using System.Text.Json;
using DicomServerless.Dicom;
using DicomServerless.EdgeGateway.Hosting;
using DicomServerless.EdgeGateway.Query;
using Microsoft.AspNetCore.Http.Features;

namespace DicomServerless.EdgeGateway.Dashboard;

/// <summary><c>POST /api/query</c>: a test query, as a C-FIND at study level to one of our AEs would be answered.</summary>
internal sealed class QueryApi(Archives archives, WaitingObjects waiting, OperatorRecords records, GatewayConfiguration configuration, TimeProvider time)
{
    private const int DefaultLimit = 20, MaxLimit = 100, MaxBody = 16 * 1024, MaxText = 64;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private static readonly Tag[] Wanted = [Tags.ModalitiesInStudy, Tags.StudyDescription, Tags.StudyInstanceUID, Tags.NumberOfStudyRelatedInstances];

    /// <summary>Answers.</summary>
    public async Task<IResult> QueryAsync(HttpContext http)
    {
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = MaxBody;
        QueryRequest? query;
        try
        {
            query = await JsonSerializer.DeserializeAsync(http.Request.Body, ApiJson.Default.QueryRequest, http.RequestAborted);
        }
        catch (JsonException exception)
        {
            return Answers.Wrong(exception.Path is { Length: > 2 } path ? path[2..] : "body",
                "Give JSON with the texts ae, patientName, patientId, studyDate and the number limit.");
        }
        catch (BadHttpRequestException exception)
        {
            return Answers.Problem(exception.StatusCode, "The query could not be read", exception.Message, "body");
        }
        if (query is null) return Answers.Wrong("body", "Give a JSON object.");
        var options = configuration.Current;
        var title = string.IsNullOrEmpty(query.Ae) ? options.Aes.Keys.First() : query.Ae;
        if (!options.Aes.TryGetValue(title, out var ae)) return Answers.Wrong("ae", $"Use one of {string.Join(", ", options.Aes.Keys)}.");
        if (query.Limit is < 1 or > MaxLimit) return Answers.Wrong("limit", $"Give a number from 1 to {MaxLimit}.");
        if (Read(query, out var parameter, out var problem) is not { } identifier) return Answers.Wrong(parameter, problem);
        return await SearchAsync(http, identifier, title, ae, query.Limit ?? DefaultLimit);
    }

    private async Task<IResult> SearchAsync(HttpContext http, Identifier identifier, string title, AeOptions ae, int limit)
    {
        var cancellationToken = http.RequestAborted;
        var destination = ae.Archive.Length > 0 ? ae.Archive : ae.Destinations.Count > 0 ? ae.Destinations[0] : configuration.Current.Destinations.Keys.First();
        var began = time.GetTimestamp();
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        var search = new QuerySearch(archives.Of(destination), waiting, destination, ae.FallbackCharacterSet);
        var rows = new List<QueryRow>();
        var (isLimited, failure) = (false, (string?)null);
        try
        {
            await foreach (var match in search.FindAsync(identifier, fuzzy: false, combined: false, either.Token))
            {
                isLimited = rows.Count == limit;
                if (isLimited) break;
                rows.Add(Row(match, ae.FallbackCharacterSet));
            }
            failure = search.Failure?.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            failure = $"The archive did not answer within {Patience.TotalSeconds:0} s.";
        }
        var milliseconds = Math.Round(time.GetElapsedTime(began).TotalMilliseconds, 1);
        records.Query(http, title, destination, rows.Count, milliseconds, failure);
        return Answers.Ok(new QueryResult(rows, isLimited, milliseconds, failure), ApiJson.Default.QueryResult);
    }

    private static Identifier? Read(QueryRequest query, out string parameter, out string problem)
    {
        (parameter, problem) = ("body", "Give patientName, patientId or studyDate.");
        var keys = new SortedDictionary<Tag, (Vr Vr, string Value)> { [Tags.SpecificCharacterSet] = (Vr.CS, "ISO_IR 192"),
            [Tags.QueryRetrieveLevel] = (Vr.CS, "STUDY") };
        foreach (var tag in Wanted) keys[tag] = (DicomDictionary.VrOf(tag), "");
        var hasKey = false;
        foreach (var (name, tag, value) in new[] { ("studyDate", Tags.StudyDate, query.StudyDate), ("patientName", Tags.PatientName, query.PatientName),
            ("patientId", Tags.PatientID, query.PatientId) })
        {
            var text = value?.Trim() ?? "";
            if (text.Length > MaxText || text.Any(character => char.IsControl(character) || character == '\\'))
            {
                (parameter, problem) = (name, $"At most {MaxText} characters, no backslash.");
                return null;
            }
            hasKey |= text.Length > 0;
            keys[tag] = (DicomDictionary.VrOf(tag), text);
            // Each key on its own first, so that a problem has its name.
            if (text.Length == 0 || Of(new() { [Tags.QueryRetrieveLevel] = (Vr.CS, "STUDY"), [tag] = keys[tag] }, out var wrong) is not null) continue;
            (parameter, problem) = (name, wrong ?? "It cannot be matched.");
            return null;
        }
        return hasKey ? Of(keys, out _) : null;
    }

    private static Identifier? Of(SortedDictionary<Tag, (Vr Vr, string Value)> keys, out string? problem)
    {
        var builder = new DataSetBuilder();
        foreach (var (tag, (vr, value)) in keys) builder.Add(tag, vr, Encoding.UTF8.GetBytes(value.Length % 2 == 0 ? value : value + " "));
        return Identifier.Read(builder.Build(), isPatientRoot: false, SpecificCharacterSet.Parse("ISO_IR 192"u8), out problem);
    }

    private static QueryRow Row(Match match, string fallback)
    {
        return new QueryRow(Text(Tags.PatientName), Text(Tags.PatientID), Text(Tags.StudyDate), Text(Tags.StudyDescription),
            match.Text(Tags.ModalitiesInStudy).Replace('\\', ' '), match.Text(Tags.NumberOfStudyRelatedInstances), match.Text(Tags.StudyInstanceUID));

        string Text(Tag tag)
        {
            if (!match.Attributes.TryGet(tag, out var element)) return "";
            var set = SpecificCharacterSet.Parse(match.Attributes.SpecificCharacterSet.Span,
                fallback.Length > 0 ? SpecificCharacterSet.Parse(Encoding.ASCII.GetBytes(fallback)) : null);
            return set.Decode(element.Value.Span.TrimEnd(" \0"u8), element.Vr).Trim();
        }
    }
}
