using DicomServerless.Shared;

namespace DicomServerless.Viewer;

/// <summary>The viewer's list of studies: QIDO as OHIF asks.</summary>
[Collection(ViewerTests.Name)]
public sealed class StudyListTests(ViewerSystem system)
{
    private const int Studies = 17;

    [Fact]
    public async Task It_shows_the_samples_and_finds_by_name_number_date_and_modality()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenAsync(system);
        var rows = await page.RowsAsync(Studies);
        Assert.Contains(rows, row => row.Contains("Viewer, ct-series", StringComparison.Ordinal)
            && row.Contains("CT", StringComparison.Ordinal) && row.Contains('8'));
        Assert.Contains(rows, row => row.Contains("MISTER, CT", StringComparison.Ordinal));

        // A fragment from the middle of a name.
        await page.Browser.ClickAsync("document.querySelector('tr[data-filter-row=\"true\"] td input')");
        await page.Browser.TypeAsync("iewer");
        Assert.All(await page.RowsAsync(10), row => Assert.Contains("Viewer", row, StringComparison.Ordinal));
        page.AssertClean();

        foreach (var (filter, count, holds) in new[]
        {
            ("?mrn=V-ct-series", 1, "ct-series"), ("?startDate=20260102&endDate=20260104", 3, "Viewer"),
                ("?modalities=ECG", 1, "ecg"), ("?modalities=ECG,SEG", 2, ""), ("?patientName=archi", 1, "Doe"),
        })
        {
            await page.Browser.NavigateAsync(system.Url + "/viewer/" + filter);
            Assert.All(await page.RowsAsync(count), row => Assert.Contains(holds, row, StringComparison.Ordinal));
        }
        page.AssertClean();
    }
}
