using System.Globalization;
using DicomServerless.Storage;

namespace DicomServerless.Functional.Storage;

/// <summary>What every engine's table does. A new engine derives a class and passes.</summary>
public abstract class TableContract
{
    /// <summary>A new empty table.</summary>
    protected abstract Task<ITable> TableAsync();

    protected static TableRow Row(string partitionKey, string rowKey, params (string Name, object Value)[] values)
    {
        var row = new TableRow(partitionKey, rowKey);
        foreach (var (name, value) in values) row[name] = value;
        return row;
    }

    protected static async Task<List<TableRow>> AllAsync(ITable table, TableQuery query)
    {
        var rows = new List<TableRow>();
        string? continuation = null;
        do
        {
            var page = await table.QueryAsync(query, continuation, default);
            rows.AddRange(page.Rows);
            continuation = page.Continuation;
        }
        while (continuation is not null);
        return rows;
    }

    protected static async Task FillAsync(ITable table, IEnumerable<TableRow> rows)
    {
        foreach (var batch in rows.Chunk(100))
            Assert.Equal(StorageStatus.Ok, (await table.SubmitAsync([.. batch.Select(TableWrite.Insert)], default)).Status);
    }

    public static TheoryData<object> Values => new()
    {
        "", "plain", "O'Brien ''", "\"\\\b\f\n\r\t", "Müller 山田 😀 \u2028", "<&>+/=%25", new string('x', 32_768),
        0, int.MinValue, int.MaxValue, 0L, 5L, long.MinValue, long.MaxValue, true, false,
        0.0, 3.0, -1.5, 1e300, 5e-324, Math.PI,
        new DateTimeOffset(1601, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2024, 2, 29, 23, 59, 59, TimeSpan.Zero).AddTicks(1234560),
        Guid.Empty, new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"),
        Array.Empty<byte>(), new byte[] { 0, 255, 62, 63, 251 }, Enumerable.Range(0, 65_536).Select(i => (byte)(i * 7)).ToArray(),
    };

    [Theory]
    [MemberData(nameof(Values))]
    public async Task A_value_comes_back_as_it_was_by_point_read_and_query_alone_and_in_a_batch(object value)
    {
        var table = await TableAsync();
        Assert.True((await table.SubmitAsync([TableWrite.Insert(Row("p", "single", ("V", value)))], default)).IsOk);
        Assert.True((await table.SubmitAsync([TableWrite.Insert(Row("p", "batch-1", ("V", value))),
            TableWrite.Insert(Row("p", "batch-2", ("Before", 1), ("V", value), ("Zafter", "z")))], default)).IsOk);
        Assert.Equal(value, (await table.GetAsync("p", "single", null, default))!["V"]);
        foreach (var row in await AllAsync(table, new TableQuery { PartitionKey = "p" })) Assert.Equal(value, row["V"]);
        foreach (var row in await AllAsync(table, new TableQuery { PartitionKey = "p", Select = ["V"] })) Assert.Equal(value, row["V"]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("O'Brien")]
    [InlineData("''")]
    [InlineData("a b+c%20d&e=f;g,h(i)j[k]l{m}")]
    [InlineData("Müller 山田 😀")]
    [InlineData("..")]
    [InlineData("<x>\"y\"|z`~!@$^*")]
    [InlineData("%2F")]
    [InlineData(" leading and trailing ")]
    public async Task Odd_characters_in_keys_are_kept(string key)
    {
        var table = await TableAsync();
        var written = await table.SubmitAsync([TableWrite.Insert(Row(key, key, ("V", 1)))], default);
        Assert.True(written.IsOk);
        Assert.Equal(1, (await table.GetAsync(key, key, null, default))!["V"]);
        var found = Assert.Single(await AllAsync(table, new TableQuery { PartitionKey = key, RowKeyFrom = key, RowKeyBefore = key + "!" }));
        Assert.Equal((key, key), (found.PartitionKey, found.RowKey));
        Assert.True((await table.SubmitAsync([TableWrite.Merge(Row(key, key, ("W", 2)), found.ETag!), TableWrite.Insert(Row(key, key + "x"))], default)).IsOk);
        Assert.Equal(2, (await table.GetAsync(key, key, null, default))!["W"]);
        Assert.True((await table.SubmitAsync([TableWrite.Delete(key, key, "*"), TableWrite.Delete(key, key + "x", "*")], default)).IsOk);
        Assert.Null(await table.GetAsync(key, key, null, default));
    }

    [Fact]
    public async Task An_insert_of_a_row_that_is_there_is_a_conflict_and_changes_nothing()
    {
        var table = await TableAsync();
        await table.SubmitAsync([TableWrite.Insert(Row("p", "r", ("V", 1)))], default);
        Assert.Equal(StorageStatus.Conflict, (await table.SubmitAsync([TableWrite.Insert(Row("p", "r", ("V", 2)))], default)).Status);
        Assert.Equal(1, (await table.GetAsync("p", "r", null, default))!["V"]);
    }

    [Theory]
    [InlineData(TableWriteKind.Replace)]
    [InlineData(TableWriteKind.Merge)]
    [InlineData(TableWriteKind.Delete)]
    public async Task A_conditional_write_happens_only_on_its_version(TableWriteKind kind)
    {
        var table = await TableAsync();
        Assert.Equal(StorageStatus.NotFound, (await table.SubmitAsync([new TableWrite(kind, Row("p", "r"), "*")], default)).Status);
        var first = (await table.SubmitAsync([TableWrite.Insert(Row("p", "r", ("V", 1), ("Kept", "k")))], default)).ETags[0]!;
        var second = (await table.SubmitAsync([TableWrite.Merge(Row("p", "r", ("V", 2)), first)], default)).ETags[0]!;
        Assert.NotEqual(first, second);
        Assert.Equal(StorageStatus.PreconditionFailed, (await table.SubmitAsync([new TableWrite(kind, Row("p", "r", ("V", 3)), first)], default)).Status);
        var read = (await table.GetAsync("p", "r", null, default))!;
        Assert.Equal((second, 2), (read.ETag, read["V"]));
        Assert.Equal(second, Assert.Single(await AllAsync(table, new TableQuery { PartitionKey = "p" })).ETag);
        Assert.True((await table.SubmitAsync([new TableWrite(kind, Row("p", "r", ("V", 3)), second)], default)).IsOk);
        var after = await table.GetAsync("p", "r", null, default);
        if (kind == TableWriteKind.Delete) Assert.Null(after);
        else Assert.Equal((3, kind == TableWriteKind.Merge ? "k" : null), ((int)after!["V"]!, after.Text("Kept")));
    }

    [Fact]
    public async Task An_upsert_adds_and_replaces()
    {
        var table = await TableAsync();
        Assert.True((await table.SubmitAsync([TableWrite.Upsert(Row("p", "r", ("A", 1)))], default)).IsOk);
        Assert.True((await table.SubmitAsync([TableWrite.Upsert(Row("p", "r", ("B", 2)))], default)).IsOk);
        Assert.Equal(["B"], (await table.GetAsync("p", "r", null, default))!.Values.Keys);
    }

    [Fact]
    public async Task A_batch_of_100_rows_is_one_change_with_an_ETag_for_each()
    {
        var table = await TableAsync();
        await table.SubmitAsync([TableWrite.Insert(Row("p", "000", ("V", -1)))], default);
        var writes = Enumerable.Range(1, 98).Select(i => TableWrite.Insert(Row("p", i.ToString("000", CultureInfo.InvariantCulture), ("V", i)))).ToList();
        writes.Insert(0, TableWrite.Delete("p", "000", "*"));
        writes.Add(TableWrite.Upsert(Row("p", "999")));
        var written = await table.SubmitAsync(writes, default);
        Assert.True(written.IsOk);
        Assert.Equal(100, written.ETags.Count);
        Assert.Null(written.ETags[0]);
        var rows = await AllAsync(table, new TableQuery { PartitionKey = "p" });
        Assert.Equal(99, rows.Count);
        Assert.Equal(written.ETags.Skip(1), rows.Select(row => row.ETag));
    }

    [Theory]
    [InlineData(TableWriteKind.Insert, StorageStatus.Conflict)]
    [InlineData(TableWriteKind.Merge, StorageStatus.NotFound)]
    [InlineData(TableWriteKind.Replace, StorageStatus.PreconditionFailed)]
    public async Task A_batch_whose_third_write_is_refused_says_so_and_changes_nothing(TableWriteKind kind, StorageStatus expected)
    {
        var table = await TableAsync();
        var old = (await table.SubmitAsync([TableWrite.Insert(Row("p", "there", ("V", 1)))], default)).ETags[0]!;
        if (expected == StorageStatus.PreconditionFailed) await table.SubmitAsync([TableWrite.Merge(Row("p", "there", ("V", 2)), old)], default);
        var refused = new TableWrite(kind, Row("p", expected == StorageStatus.NotFound ? "absent" : "there"),
            kind == TableWriteKind.Insert ? null : kind == TableWriteKind.Merge ? "*" : old);
        var written = await table.SubmitAsync([TableWrite.Insert(Row("p", "a")), TableWrite.Upsert(Row("p", "b")), refused, TableWrite.Insert(Row("p", "d"))],
            default);
        Assert.Equal((expected, 2), (written.Status, written.FailedIndex));
        Assert.Equal(["there"], (await AllAsync(table, new TableQuery { PartitionKey = "p" })).Select(row => row.RowKey));
    }

    [Fact]
    public async Task Five_thousand_rows_come_in_pages_in_order_each_once()
    {
        var table = await TableAsync();
        await FillAsync(table, Enumerable.Range(0, 5000)
            .Select(i => Row("p", i.ToString("00000", CultureInfo.InvariantCulture), ("V", i), ("T", i % 1000 == 999 ? "rare" : "common"))));
        await FillAsync(table, [Row("o", "1")]);
        await FillAsync(table, [Row("q", "1")]);
        var all = await AllAsync(table, new TableQuery { PartitionKey = "p" });
        Assert.Equal(Enumerable.Range(0, 5000), all.Select(row => (int)row["V"]!));
        // A filter that few rows pass: pages may be short or empty while more follow.
        var rare = await AllAsync(table, new TableQuery { PartitionKey = "p", Columns = [new("T", ColumnOperator.Equal, "rare")], PageSize = 3 });
        Assert.Equal([999, 1999, 2999, 3999, 4999], rare.Select(row => (int)row["V"]!));
        Assert.Empty(await AllAsync(table, new TableQuery { PartitionKey = "p", Columns = [new("T", ColumnOperator.Equal, "none")] }));
        var range = await AllAsync(table, new TableQuery { PartitionKey = "p", RowKeyFrom = "01000", RowKeyBefore = "03500", PageSize = 700, Select = ["V"] });
        Assert.Equal(Enumerable.Range(1000, 2500), range.Select(row => (int)row["V"]!));
        var page = await table.QueryAsync(new TableQuery { PartitionKey = "p", PageSize = 10 }, null, default);
        Assert.Equal(10, page.Rows.Count);
        Assert.NotNull(page.Continuation);
    }

    [Fact]
    public async Task Rows_are_ordered_by_partition_then_row_ordinally_and_ranges_of_partitions_are_half_open()
    {
        var table = await TableAsync();
        foreach (var partition in new[] { "b", "a", "B", "c", "aa", "_", "0" })
            await FillAsync(table, new[] { "z", "Z", "10", "9", "a-b", "a.b", "a_b" }.Select(key => Row(partition, key)));
        var rows = await AllAsync(table, new TableQuery { PartitionKeyFrom = "B", PartitionKeyBefore = "b" });
        var expected = new[] { "B", "_", "a", "aa" }.SelectMany(p => new[] { "10", "9", "Z", "a-b", "a.b", "a_b", "z" }.Select(r => (p, r)));
        Assert.Equal(expected, rows.Select(row => (row.PartitionKey, row.RowKey)));
        Assert.Equal(49, (await AllAsync(table, new TableQuery())).Count);
    }

    [Fact]
    public async Task Select_brings_keys_version_and_the_columns_that_are_there()
    {
        var table = await TableAsync();
        var etag = (await table.SubmitAsync([TableWrite.Insert(Row("p", "r", ("A", "a"), ("B", 2L), ("C", new byte[] { 1 })))], default)).ETags[0];
        foreach (var row in new[] { Assert.Single(await AllAsync(table, new TableQuery { PartitionKey = "p", Select = ["B", "Absent"] })),
            (await table.GetAsync("p", "r", ["B", "Absent"], default))! })
        {
            Assert.Equal(("p", "r", etag), (row.PartitionKey, row.RowKey, row.ETag));
            Assert.Equal(["B"], row.Values.Keys);
            Assert.Equal(2, row.Number("B"));
        }
    }

    [Fact]
    public async Task Columns_are_compared_by_type()
    {
        var table = await TableAsync();
        var t = new DateTimeOffset(2024, 5, 6, 7, 8, 9, TimeSpan.Zero);
        await FillAsync(table, Enumerable.Range(0, 5)
            .Select(i => Row("p", i.ToString(CultureInfo.InvariantCulture), ("S", $"O'{i}"),
            ("I", i), ("L", 10_000_000_000L + i), ("B", i > 2), ("D", i / 2.0), ("T", t.AddDays(i)))));
        await FillAsync(table, [Row("p", "none")]);
        async Task<string> Keys(params ColumnCondition[] conditions) =>
            string.Concat((await AllAsync(table, new TableQuery { PartitionKey = "p", Columns = conditions })).Select(row => row.RowKey));
        Assert.Equal("2", await Keys(new ColumnCondition("S", ColumnOperator.Equal, "O'2")));
        Assert.Equal("34", await Keys(new ColumnCondition("S", ColumnOperator.Greater, "O'2")));
        Assert.Equal("01", await Keys(new ColumnCondition("I", ColumnOperator.Less, 2)));
        Assert.Equal("234", await Keys(new ColumnCondition("L", ColumnOperator.GreaterOrEqual, 10_000_000_002L)));
        Assert.Equal("34", await Keys(new ColumnCondition("B", ColumnOperator.Equal, true)));
        Assert.Equal("012", await Keys(new ColumnCondition("D", ColumnOperator.LessOrEqual, 1.0)));
        Assert.Equal("34", await Keys(new ColumnCondition("T", ColumnOperator.Greater, t.AddDays(2))));
        Assert.Equal("12", await Keys(new ColumnCondition("I", ColumnOperator.Greater, 0), new ColumnCondition("I", ColumnOperator.LessOrEqual, 2)));
        Assert.Equal("0134", await Keys(new ColumnCondition("I", ColumnOperator.NotEqual, 2)));
    }

    [Fact]
    public async Task Creating_a_table_that_is_there_is_no_error()
    {
        var table = await TableAsync();
        await FillAsync(table, [Row("p", "r")]);
        await table.CreateIfAbsentAsync(default);
        Assert.NotNull(await table.GetAsync("p", "r", null, default));
    }
}
