using System.Diagnostics;
using System.Globalization;
using DicomServerless.Dicom;
using DicomServerless.Shared;

namespace DicomServerless.Viewer;

/// <summary>Images in the viewer: what is on the screen is compared with the pixels of the file, not just looked at for errors.</summary>
[Collection(ViewerTests.Name)]
public sealed class ImageTests(ViewerSystem system, ITestOutputHelper output)
{
    private const string Root = "1.2.826.0.1.3680043.10.1457.7";
    private const int Squares = 32, Side = 512;

    [Fact]
    public async Task A_ct_series_is_drawn_as_its_pixels_say_and_scrolls()
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, Root + ".1");
        await page.DrawnAsync();
        AssertLike(Expected(0), await page.SquaresAsync(Squares), "slice 1");
        await page.Browser.UntilAsync(Overlay("1/8"));
        await page.Browser.WheelAsync(await page.Browser.MiddleAsync(ViewerPage.Canvas), 100);
        await page.Browser.UntilAsync(Overlay("2/8"));
        await page.Browser.WheelAsync(await page.Browser.MiddleAsync(ViewerPage.Canvas), 100);
        await page.Browser.UntilAsync(Overlay("3/8"));
        await page.Browser.UntilAsync("document.querySelectorAll('[data-cy=\"study-browser-thumbnail\"]').length === 1");
        AssertLike(Expected(2), await page.SquaresAsync(Squares), "slice 3");
        page.AssertClean();
        await page.KeepPictureAsync("viewer-ct");
    }

    [Theory]
    [InlineData("big endian", 2, 0.995)]
    [InlineData("JPEG 2000", 3, 0.995)]
    [InlineData("JPEG baseline", 4, 0.9)] // eight bits of sixteen
    [InlineData("JPEG-LS", 5, 0.995)]
    [InlineData("RLE", 6, 0.995)]
    public async Task A_ct_image_of_another_transfer_syntax_looks_like_its_uncompressed_twin(string name, int study, double alike)
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, $"{Root}.{study}");
        await page.DrawnAsync();
        AssertLike(Expected(0), await page.SquaresAsync(Squares), name, alike);
        page.AssertClean();
    }

    [Theory]
    [InlineData("HTJ2K", Root + ".8")]
    [InlineData("palette, multi-frame, RLE", "999.999.3859744")]
    [InlineData("multi-frame MR", "1.2.826.0.1.3680043.2.1143.3365540476747857567072393009509418480")]
    public async Task An_image_is_drawn(string name, string study)
    {
        if (!system.IsThere) return;
        await using var page = await ViewerPage.OpenStudyAsync(system, study);
        await page.DrawnAsync();
        var (distinct, deviation) = await page.SpreadAsync();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: {distinct} colours, deviation {deviation:F1}"));
        Assert.True(distinct >= 32 && deviation > 5, $"{name}: {distinct} colours, deviation {deviation}");
        page.AssertClean();
    }

    [Fact]
    public async Task Below_a_path_prefix_the_list_opens_a_study_and_draws_it()
    {
        if (!system.IsThere || !Peers.Require("/usr/sbin/nginx")) return;
        using var nginx = await Nginx.StartAsync(system.Url, strips: true);
        await using var page = await ViewerPage.OpenAsync(nginx.Url + "/dicom/viewer/", "?mrn=V-ct-series");
        await page.RowsAsync(1);
        await page.Browser.ClickAsync("document.querySelector('tr[aria-selected]')", times: 2);
        await page.Browser.UntilAsync("location.pathname.startsWith('/dicom/viewer/viewer')");
        await page.DrawnAsync();
        AssertLike(Expected(0), await page.SquaresAsync(Squares), "slice 1 behind nginx");
        Assert.All(page.Browser.Requests.Where(request => request.Scheme == "http"), request =>
            Assert.StartsWith("/dicom/", request.AbsolutePath, StringComparison.Ordinal));
        page.AssertClean();
    }

    [Fact]
    public async Task On_static_hosting_of_another_origin_it_lists_and_draws_what_the_service_has()
    {
        if (!system.IsThere || !Peers.Require("/usr/sbin/nginx")) return;
        var folder = Directory.CreateTempSubdirectory("viewer-static-");
        using (var node = Process.Start("node",
            [Path.Combine(Repository.Root, "infra/viewer.mjs"), folder.FullName, "--static", "--base", "/", "--dicomweb", system.Url + "/dicomweb"]))
        {
            await node.WaitForExitAsync();
            Assert.Equal(0, node.ExitCode);
        }
        using (var nginx = await Nginx.StartFilesAsync(folder.FullName, system.OtherPort))
        await using (var page = await ViewerPage.OpenAsync(nginx.Url + "/", "?mrn=V-ct-series", others: new Uri(system.Url).Authority))
        {
            await page.RowsAsync(1);
            await page.Browser.ClickAsync("document.querySelector('tr[aria-selected]')", times: 2);
            await page.DrawnAsync();
            AssertLike(Expected(0), await page.SquaresAsync(Squares), "slice 1 from another origin");
            page.AssertClean();
        }
        folder.Delete(recursive: true);
    }

    private static string Overlay(string text) => $"document.querySelector('[data-cy=\"viewport-overlay-bottom-right\"]')?.innerText.includes('{text}')";

    // The file's own pixels through its rescale and its window (PS3.3 C.11.2.1.2), as means of squares. samples.py turns each slice on by 40 rows.
    private static double[] Expected(int slice)
    {
        var file = File.ReadAllBytes(Path.Combine(Repository.Root, "dev/samples/ct/ct-image.dcm"));
        var pixels = file.AsSpan(file.Length - (Side * Side * 2));
        const double Slope = 1, Intercept = -1024, Center = 40, Width = 400;
        var sums = new double[Squares * Squares];
        for (var y = 0; y < Side; y++)
            for (var x = 0; x < Side; x++)
            {
                var stored = BitConverter.ToInt16(pixels.Slice((((y + (40 * slice)) % Side * Side) + x) * 2, 2));
                var grey = (((stored * Slope) + Intercept - (Center - 0.5)) / (Width - 1)) + 0.5;
                sums[(y * Squares / Side * Squares) + (x * Squares / Side)] += Math.Clamp(grey, 0, 1) * 255;
            }
        return [.. sums.Select(sum => sum / (Side / Squares * (Side / Squares)))];
    }

    private void AssertLike(double[] expected, double[] shown, string name, double alike = 0.995)
    {
        var (a, b) = (expected.Average(), shown.Average());
        var covariance = expected.Zip(shown, (x, y) => (x - a) * (y - b)).Sum();
        var correlation = covariance / Math.Sqrt(expected.Sum(x => (x - a) * (x - a)) * shown.Sum(y => (y - b) * (y - b)));
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: correlation {correlation:F4}, mean grey {b:F1} where the file has {a:F1}"));
        Assert.True(correlation > alike && Math.Abs(a - b) < 12, $"{name}: correlation {correlation}, mean {b} for {a}");
    }
}
