using System.Net;
using DicomServerless.Functional.Http;

namespace DicomServerless.Conformance.Http;

/// <summary>
/// D1, D2, D3: every sample over HTTP. pydicom decides which are objects of a study; those come back as they were sent, the others get the failure that they
/// should.
/// </summary>
[Collection(SampleArchiveCollection.Name)]
public sealed class SampleRoundTripTests(SampleArchive archive, ITestOutputHelper output)
{
    private const int CannotUnderstand = 0xC000; // PS3.18 I.2

    // Files that were made to be wrong, where the right answer is the opposite of pydicom's.
    private static readonly Dictionary<string, string> Declared = new()
    {
        ["vr-unknown.dcm"] = "a VR that is not known has a length of 32 bits (PS3.5 6.2.2); pydicom reads 16 and loses its way",
        ["deflate-bomb.dcm"] = "inflates a thousandfold, which no object does; pydicom has no limit",
    };

    [Fact]
    public async Task Every_sample_is_stored_found_and_returned_bit_for_bit_or_refused_with_the_right_reason()
    {
        if (!archive.IsReady) return;
        Assert.Empty(archive.Problems);
        var wrong = new List<string>();
        var (stored, refused, found, identical) = (0, 0, 0, 0);
        output.WriteLine($"{"file",-100} {"pydicom",-14} result");
        foreach (var sample in archive.Samples)
        {
            string result;
            var isDeclared = Declared.ContainsKey(Path.GetFileName(sample.Path));
            if (sample.IsStored)
            {
                stored++;
                var problem = await FindAsync(sample);
                if (problem is null) found++;
                var same = await IsIdenticalAsync(sample);
                if (same) identical++;
                result = $"stored, {problem ?? "found"}, {(same ? "identical" : "DIFFERS")}";
                if (sample.IsObject == isDeclared || problem is not null || !same) wrong.Add($"{sample.Name}: {sample.Verdict}, {result} {sample.Remark}");
            }
            else
            {
                refused++;
                result = $"refused {sample.Reason:X4} {(sample.IsFailureNamed ? "Failed SOP" : "Other Failures")}: {sample.Problem}";
                // An object that could be named has to be named (PS3.18 I.2).
                if (sample.IsObject != isDeclared || sample.Reason != CannotUnderstand || (sample.Sop.Length > 0) != sample.IsFailureNamed)
                    wrong.Add($"{sample.Name}: {sample.Verdict}, {result} ({sample.Remark})");
            }
            output.WriteLine($"{sample.Name,-100} {sample.Verdict,-14} {result}");
        }
        output.WriteLine($"{archive.Summary}: {stored} stored, {found} found at three levels, {identical} identical; {refused} refused.");
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
        Assert.Equal(archive.Samples.Count, stored + refused);
        Assert.True(stored >= 10 && refused > 0);
    }

    // Null when each level gives exactly this one.
    private async Task<string?> FindAsync(Sample sample)
    {
        var path = sample.Url.Split('/');
        var (study, series, sop) = (path[^5], path[^3], path[^1]);
        if (!sample.Url.StartsWith(sample.Base, StringComparison.Ordinal) || sop != sample.Sop
            || (sample.Study.Length > 0 && (study, series) != (sample.Study, sample.Series)))
            return "other Retrieve URL";
        (string Query, string Tag, string Uid)[] levels =
        [
            ($"studies?StudyInstanceUID={study}", "0020000D", study),
            ($"studies/{study}/series?SeriesInstanceUID={series}", "0020000E", series),
            ($"studies/{study}/series/{series}/instances?SOPInstanceUID={sop}", "00080018", sop),
            ($"instances?SOPInstanceUID={sop}", "00080018", sop),
        ];
        foreach (var (query, tag, uid) in levels)
        {
            using var response = await archive.Client.GetAsync($"{sample.Base}/{query}");
            if (response.StatusCode != HttpStatusCode.OK) return $"{(int)response.StatusCode} for {query}";
            var results = await Server.JsonAsync(response);
            if (results.GetArrayLength() != 1 || results[0].GetProperty(tag).GetProperty("Value")[0].GetString() != uid)
                return $"not the one result for {query}";
        }
        return null;
    }

    private async Task<bool> IsIdenticalAsync(Sample sample)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, sample.Url);
        request.Headers.TryAddWithoutValidation("Accept", "multipart/related; type=\"application/dicom\"; transfer-syntax=*");
        using var response = await archive.Client.SendAsync(request);
        if (response.StatusCode != HttpStatusCode.OK) return false;
        var sent = await File.ReadAllBytesAsync(sample.Path);
        return Assert.Single(await Server.PartsAsync(response)).Content.AsSpan().SequenceEqual(sent);
    }
}
