using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using DicomServerless.Shared;

namespace DicomServerless.Viewer;

/// <summary>What is no plain image: segmentations, reports, waveforms, documents, videos.</summary>
[Collection(ViewerTests.Name)]
public sealed class SpecialTests(ViewerSystem system, ITestOutputHelper output)
{
    private const string Root = "1.2.826.0.1.3680043.10.1457.7", Segmented = "1.3.6.1.4.1.5962.1.1.0.0.0.1196530851.28319.0.1";

    [Fact]
    public async Task A_segmentation_overlays_its_series()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Segmented);
        // Before its images are there the viewer drops them for the segmentation, and stumbles over its own handler of that.
        await page.SettledAsync();
        await page.Browser.ClickAsync("document.querySelector('[data-cy=\"study-browser-thumbnail-no-image\"]')", times: 2);
        await page.Browser.UntilAsync("document.querySelector('[data-cy=\"yes-hydrate-btn\"]')");
        await page.SettledAsync();
        await page.Browser.ClickAsync("document.querySelector('[data-cy=\"yes-hydrate-btn\"]')");
        // As much of the picture is coloured as one of the segmentation's frames has pixels.
        var file = await File.ReadAllBytesAsync(Path.Combine(Repository.Root, "tests/Viewer/Samples/segmentation.dcm"));
        const int FrameBytes = 16 * 16 / 8, Frames = 3;
        var shares = Enumerable.Range(0, Frames).Select(frame =>
            file.AsSpan(file.Length - ((Frames - frame) * FrameBytes), FrameBytes).ToArray().Sum(octet => BitOperations.PopCount(octet)) / 256.0).ToArray();
        const string Coloured = $$"""
            (() => {
              const canvas = {{ViewerPage.Canvas}}, side = Math.min(canvas.width, canvas.height);
              const pixels = canvas.getContext('2d').getImageData((canvas.width - side) / 2, (canvas.height - side) / 2, side, side).data;
              let count = 0;
              for (let i = 0; i < pixels.length; i += 4) if (Math.abs(pixels[i] - pixels[i + 1]) > 20 || Math.abs(pixels[i] - pixels[i + 2]) > 20) count++;
              return count / (pixels.length / 4);
            })()
            """;
        var wanted = string.Join(',', shares.Select(share => share.ToString(CultureInfo.InvariantCulture)));
        await page.Browser.UntilAsync($"(shown => [{wanted}].some(share => Math.abs(share - shown) < 0.03))({Coloured})");
        output.WriteLine($"As much of the picture is coloured as one of the frames has pixels: {wanted}");
        page.AssertClean();
        await page.KeepPictureAsync("viewer-segmentation");
    }

    [Fact]
    public async Task A_measurement_is_stored_as_a_report_and_is_there_again_after_a_reload()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Root + ".6");
        await page.DrawnAsync();
        await page.Browser.ClickAsync(Named("Length-btn"));
        var (x, y) = await page.Browser.MiddleAsync(ViewerPage.Canvas);
        await page.Browser.DragAsync((x - 120, y - 40), (x + 100, y + 60));
        await page.Browser.ClickAsync(Named("prompt-begin-tracking-yes-btn"));
        await page.Browser.UntilAsync(Named("measurement-table-row-0") + " || " + Named("trackedMeasurements-btn"));
        if (await page.Browser.EvaluateAsync($"!!{Named("trackedMeasurements-panel")}") != "true")
            await page.Browser.ClickAsync(Named("trackedMeasurements-btn"));
        await page.Browser.UntilAsync(Named("measurement-table-row-0"));
        // The row follows the pointer with a delay: the length is the one that stays.
        await page.Browser.UntilAsync($"(shown => shown === (window.shownBefore ?? '') ? Date.now() - window.shownAt > 1000 : (window.shownBefore = "
            + $"shown, window.shownAt = Date.now(), false))"
            + $"({Named("measurement-table-row-0")}.innerText.match(/[0-9.]+ mm/)[0])");
        var length = await page.Browser.EvaluateAsync($"{Named("measurement-table-row-0")}.innerText.match(/[0-9.]+ mm/)[0]");
        await page.Browser.ClickAsync("[...document.querySelectorAll('button')].find(button => button.innerText.includes('Create SR'))");
        await page.Browser.ClickAsync(Named("input-dialog-save-button"));
        // The viewer shows the report from memory before it is stored.
        await page.Browser.UntilAsync("performance.getEntriesByType('resource').some(entry => entry.name.endsWith('/dicomweb/studies') && "
            + "entry.responseStatus === 200)");

        using var http = new HttpClient();
        var reports = JsonDocument.Parse(await http.GetStringAsync($"{system.Url}/dicomweb/studies/{Root}.6/series?Modality=SR")).RootElement;
        Assert.Equal(1, reports.GetArrayLength());
        page.AssertClean();

        await page.Browser.NavigateAsync($"{system.Url}/viewer/viewer?StudyInstanceUIDs={Root}.6");
        await page.DrawnAsync();
        await page.Browser.ClickAsync("document.querySelector('[data-cy=\"study-browser-thumbnail-no-image\"]')", times: 2);
        await page.Browser.ClickAsync(Named("yes-hydrate-btn"));
        if (await page.Browser.EvaluateAsync($"!!{Named("trackedMeasurements-panel")}") != "true")
            await page.Browser.ClickAsync(Named("trackedMeasurements-btn"));
        await page.Browser.UntilAsync(Named("measurement-table-row-0"));
        Assert.Equal(length, await page.Browser.EvaluateAsync($"{Named("measurement-table-row-0")}.innerText.match(/[0-9.]+ mm/)[0]"));
        output.WriteLine("The length is " + length + ", before and after.");
        page.AssertClean();
        await page.KeepPictureAsync("viewer-measurement");
    }

    [Fact]
    public async Task An_ecg_is_drawn()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Root + ".7");
        await page.DrawnAsync();
        await page.Browser.UntilAsync("document.body.innerText.includes('ECG')");
        var (distinct, deviation) = await page.SpreadAsync();
        Assert.True(distinct >= 32 && deviation > 5, $"{distinct} colours, deviation {deviation}");
        page.AssertClean();
        await page.KeepPictureAsync("viewer-ecg");
    }

    [Fact]
    public async Task A_document_is_shown_as_pdf()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Root + ".9");
        await page.Browser.UntilAsync("document.querySelector('object[type=\"application/pdf\"], object[data], embed, iframe[src*=\"rendered\"]')");
        var source = await page.Browser.EvaluateAsync("(o => o.data || o.src)(document.querySelector('object, embed, iframe'))");
        Assert.Contains("/rendered", source, StringComparison.Ordinal);
        // Another program of the browser draws it, so the picture is looked at: paper is white.
        for (var watch = Stopwatch.StartNew(); await page.WhiteShareAsync() < 0.1; await Task.Delay(200))
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), "No page of the document is shown.");
        page.AssertClean();
        await page.KeepPictureAsync("viewer-pdf");
    }

    [Fact]
    public async Task A_video_is_drawn_from_ranges()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Root + ".15");
        // The viewer draws the frames of a video element that it keeps to itself.
        await page.DrawnAsync();
        await page.Browser.UntilAsync("performance.getEntriesByType('resource').some(entry => entry.name.includes('/rendered') && "
            + "entry.responseStatus === 206)");
        page.AssertClean();
    }

    private static string Named(string name) => $"document.querySelector('[data-cy=\"{name}\"]')";
}
